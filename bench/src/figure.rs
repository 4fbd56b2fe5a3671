//! What a measure finds.

use std::fmt;

use serde_json::{Map, Value, json};

/// Some values that belong together: one line.
#[derive(Clone, Debug)]
pub struct Figure {
    measure: &'static str,
    values: Vec<(&'static str, &'static str, Value)>,
}

impl Figure {
    /// A figure without values yet. Its name and the names of its values are the ones that the
    /// programs for other stacks use.
    pub fn new(measure: &'static str) -> Self {
        Self { measure, values: Vec::new() }
    }

    /// Adds a number, rounded to three decimals; `unit` is for the table.
    #[must_use]
    pub fn number(self, name: &'static str, unit: &'static str, value: f64) -> Self {
        let rounded = (value * 1000.0).round() / 1000.0;
        self.value(name, unit, if value.is_finite() { json!(rounded) } else { Value::Null })
    }

    /// Adds a value of any kind.
    #[must_use]
    pub fn value(
        mut self,
        name: &'static str,
        unit: &'static str,
        value: impl Into<Value>,
    ) -> Self {
        self.values.push((name, unit, value.into()));
        self
    }

    /// Adds the processor time, in seconds, of a server that so many GiB went through in so many
    /// seconds, if it is known.
    #[must_use]
    pub fn server_cpu(self, server: Option<f64>, gib: f64, seconds: f64) -> Self {
        let Some(server) = server else { return self };
        self.number("server_cpu_s_per_GiB", "s/GiB", server / gib).number(
            "server_cpu_pct",
            "%",
            server / seconds * 100.0,
        )
    }

    /// The figure as one object, for one line of JSON.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("impl".to_owned(), json!("peerconnection"));
        object.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
        object.insert("measure".to_owned(), json!(self.measure));
        for (name, _, value) in &self.values {
            object.insert((*name).to_owned(), value.clone());
        }
        Value::Object(object)
    }
}

/// As lines of a table.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.measure)?;
        for (name, unit, value) in &self.values {
            writeln!(f, "  {name:<24} {:>12} {unit}", value.to_string())?;
        }
        Ok(())
    }
}

/// The value below which the part `q` (0 to 1) of all values lies.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (q * sorted.len() as f64) as usize;
    sorted.get(rank.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// The middle value.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(median(&values), 51.0);
        assert_eq!(quantile(&values, 0.95), 96.0);
        assert_eq!(quantile(&values, 1.0), 100.0);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_figure_is_one_object_with_rounded_numbers() {
        let figure = Figure::new("m").number("x", "ms", 1.23456).number("y", "ms", f64::NAN);
        let object = figure.to_json();
        assert_eq!(object["impl"], "peerconnection");
        assert_eq!(object["measure"], "m");
        assert_eq!(object["x"], 1.235);
        assert_eq!(object["y"], Value::Null);
    }
}
