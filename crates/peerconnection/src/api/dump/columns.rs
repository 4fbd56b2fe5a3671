//! Statistics as series: one for each member of each object, and rates of counters.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Number, Value, json};

use super::text;
use crate::api::RTCStatsReport;

/// The counters of which tools draw the rate, with the rate's name and its factor. The names are
/// those that Chromium computes.
const RATES: [(&str, &str, f64); 6] = [
    ("bytesSent", "[bytesSent_in_bits/s]", 8.0),
    ("bytesReceived", "[bytesReceived_in_bits/s]", 8.0),
    ("packetsSent", "[packetsSent/s]", 1.0),
    ("packetsReceived", "[packetsReceived/s]", 1.0),
    ("messagesSent", "[messagesSent/s]", 1.0),
    ("messagesReceived", "[messagesReceived/s]", 1.0),
];

/// A series, as the file has it.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Column {
    start_time: String,
    end_time: String,
    stats_type: String,
    /// An array, as JSON in a string.
    values: String,
}

/// An object of which there are several samples.
#[derive(Default)]
struct Object {
    type_: String,
    timestamps: Vec<f64>,
    members: BTreeMap<String, Vec<Value>>,
}

/// The series of samples, which are in the order of time. The key is the id of the object, `-`, and
/// the member.
///
/// Readers align series at their ends: a member may begin later than its object. If one is missing
/// afterwards, `null` stands in its place.
pub(super) fn of(samples: &[RTCStatsReport]) -> BTreeMap<String, Column> {
    let mut objects: BTreeMap<&str, Object> = BTreeMap::new();
    for (id, stats) in samples.iter().flatten() {
        let Ok(Value::Object(members)) = serde_json::to_value(stats) else { continue };
        let object = objects.entry(id).or_default();
        object.type_ = stats.type_().to_string();
        object.add(stats.timestamp(), members.into_iter());
    }
    let mut columns = BTreeMap::new();
    for (id, object) in objects {
        for (member, values) in object.series() {
            columns.insert(format!("{id}-{member}"), object.column(&values));
        }
    }
    columns
}

impl Object {
    fn add(&mut self, timestamp: f64, members: impl Iterator<Item = (String, Value)>) {
        let of_a_column = |name: &str| !matches!(name, "id" | "type" | "timestamp");
        let mut here: BTreeMap<_, _> = members.filter(|(name, _)| of_a_column(name)).collect();
        // What is left of a closed connection is the same in every sample.
        if self.timestamps.last() == Some(&timestamp) {
            return;
        }
        self.timestamps.push(timestamp);
        for (name, values) in &mut self.members {
            values.push(here.remove(name).unwrap_or(Value::Null));
        }
        self.members.extend(here.into_iter().map(|(name, value)| (name, vec![value])));
    }

    fn series(&self) -> Vec<(&str, Vec<Value>)> {
        let timestamps = self.timestamps.iter().map(|at| number(*at)).collect();
        let members = self.members.iter().map(|(name, values)| (name.as_str(), values.clone()));
        let rates = RATES.iter().filter_map(|(counter, name, factor)| {
            let rates = self.rates(self.members.get(*counter)?, *factor);
            (!rates.is_empty()).then_some((*name, rates))
        });
        [("timestamp", timestamps)].into_iter().chain(members).chain(rates).collect()
    }

    /// The rates of a counter between one sample and the next, per second.
    fn rates(&self, values: &[Value], factor: f64) -> Vec<Value> {
        let begun = self.timestamps.len().saturating_sub(values.len());
        let times = self.timestamps.get(begun..).unwrap_or_default();
        let points: Vec<_> = times.iter().zip(values.iter().map(Value::as_f64)).collect();
        let rate = |pair: &[(&f64, Option<f64>)]| match pair {
            [(from, Some(before)), (to, Some(after))] if *to > *from => {
                number(((after - before) * factor * 1000.0 / (*to - *from)).round())
            }
            _ => Value::Null,
        };
        points.windows(2).map(rate).collect()
    }

    fn column(&self, values: &[Value]) -> Column {
        let ends = [self.timestamps.len().saturating_sub(values.len()), self.timestamps.len() - 1];
        let [start_time, end_time] =
            ends.map(|at| date(self.timestamps.get(at).copied().unwrap_or_default()));
        Column {
            start_time,
            end_time,
            stats_type: self.type_.clone(),
            values: text(&json!(values)),
        }
    }
}

/// A number as JavaScript writes it: without a fraction if it has none.
fn number(value: f64) -> Value {
    /// Whole numbers below are exact in both types.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT {
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// The date of milliseconds since the Unix epoch, as `Date.toISOString()` writes it.
fn date(milliseconds: f64) -> String {
    const DAY: u64 = 86_400_000;
    let milliseconds = milliseconds.clamp(0.0, 253_402_300_799_999.0) as u64;
    let (days, time) = (milliseconds / DAY, milliseconds % DAY);
    // Years begin in March here, so that leap days are at their ends. 719,468 days lie between
    // 1 March of the year 0 and the epoch, and 400 years have 146,097.
    let days = days + 719_468;
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (400 * cycle + year, month + 3);
    let (year, month) = if month > 12 { (year + 1, month - 12) } else { (year, month) };
    let (hours, minutes) = (time / 3_600_000, time / 60_000 % 60);
    let (seconds, thousandths) = (time / 1000 % 60, time % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{thousandths:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{RTCDataChannelState, RTCDataChannelStats, RTCStats};

    #[test]
    fn dates_are_those_of_javascript() {
        // From `new Date(…).toISOString()`.
        for (milliseconds, expected) in [
            (0.0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000.0, "2000-02-29T00:00:00.000Z"),
            (951_868_799_999.9, "2000-02-29T23:59:59.999Z"),
            (1_709_251_199_000.0, "2024-02-29T23:59:59.000Z"),
            (1_796_047_624_744.0, "2026-11-30T14:07:04.744Z"),
            (4_107_542_400_000.0, "2100-03-01T00:00:00.000Z"),
            (f64::NAN, "1970-01-01T00:00:00.000Z"),
            (f64::MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(date(milliseconds), expected);
        }
    }

    fn sample(timestamp: f64, bytes_sent: u64, id: Option<u16>) -> RTCStatsReport {
        RTCStatsReport::new(vec![RTCStats::DataChannel(RTCDataChannelStats {
            id: "data-channel-1".to_owned(),
            timestamp,
            label: "chat".to_owned(),
            protocol: String::new(),
            data_channel_identifier: id,
            state: RTCDataChannelState::Open,
            messages_sent: 0,
            bytes_sent,
            messages_received: 0,
            bytes_received: 0,
        })])
    }

    #[test]
    fn members_become_series_that_end_together() {
        let samples =
            [sample(1000.0, 5, None), sample(1500.5, 105, Some(1)), sample(2500.5, 105, None)];
        let columns = of(&samples);
        let values = |member: &str| columns[&format!("data-channel-1-{member}")].values.as_str();
        assert_eq!(values("timestamp"), "[1000,1500.5,2500.5]");
        assert_eq!(values("bytesSent"), "[5,105,105]");
        assert_eq!(values("label"), r#"["chat","chat","chat"]"#);
        // 800 bits in 500.5 ms.
        assert_eq!(values("[bytesSent_in_bits/s]"), "[1598,0]");
        // It came with the second sample, and was not in the third.
        assert_eq!(values("dataChannelIdentifier"), "[1,null]");
        let column = &columns["data-channel-1-dataChannelIdentifier"];
        assert_eq!(column.stats_type, "data-channel");
        let times = [&column.start_time, &column.end_time];
        assert_eq!(times, ["1970-01-01T00:00:01.500Z", "1970-01-01T00:00:02.500Z"]);
        assert!(!columns.contains_key("data-channel-1-type"));
    }

    #[test]
    fn one_moment_is_one_sample_and_no_samples_are_no_series() {
        let columns = of(&[sample(1000.0, 5, None), sample(1000.0, 5, None)]);
        assert_eq!(columns["data-channel-1-bytesSent"].values, "[5]");
        assert!(!columns.contains_key("data-channel-1-[bytesSent_in_bits/s]"));
        assert!(of(&[]).is_empty());
    }
}
