//! `RTCStatsReport`.

use napi::bindgen_prelude::Unknown;
use napi::{Env, Result, Status};
use peerconnection::{RTCStats, RTCStatsReport};
use serde_json::{Number, Value};

use crate::convert::to_js;

/// The dictionaries of a report, in order.
pub(crate) fn dictionaries(env: &Env, report: &RTCStatsReport) -> Result<Unknown<'static>> {
    let dictionaries: Result<Vec<Value>> = report.values().map(dictionary).collect();
    to_js(env, &dictionaries?)
}

fn dictionary(stats: &RTCStats) -> Result<Value> {
    let mut value = serde_json::to_value(stats)
        .map_err(|error| napi::Error::new(Status::GenericFailure, error.to_string()))?;
    for member in value.as_object_mut().into_iter().flat_map(|members| members.values_mut()) {
        // `unsigned long long` is a number (Web IDL §3.2.4.8), which `napi` would make a BigInt.
        if member.as_u64().is_some_and(|count| count > u32::MAX.into())
            && let Some(number) = member.as_f64().and_then(Number::from_f64)
        {
            *member = Value::Number(number);
        }
    }
    Ok(value)
}
