//! Dictionaries and numbers, to and from JavaScript. The JavaScript layer has already applied Web
//! IDL's conversions to the application's values.

use napi::bindgen_prelude::{Object, Unknown};
use napi::{Env, Result, Status};
use peerconnection::RTCSessionDescription;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Makes a dictionary of the crate from one of the JavaScript layer.
pub(crate) fn from_js<T: DeserializeOwned>(env: &Env, dictionary: Object<'_>) -> Result<T> {
    env.from_js_value(dictionary)
}

/// Makes a dictionary of the JavaScript layer from one of the crate.
pub(crate) fn to_js<T: Serialize>(env: &Env, dictionary: &T) -> Result<Unknown<'static>> {
    env.to_js_value(dictionary)
}

/// Parses an enumeration value.
pub(crate) fn enumeration<T: DeserializeOwned>(value: &str) -> Result<T> {
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer};
    let value: StrDeserializer<'_, Error> = value.into_deserializer();
    T::deserialize(value).map_err(|error| napi::Error::new(Status::InvalidArg, error.to_string()))
}

/// An identity as a number; addresses have 48 bits.
pub(crate) fn key(object_id: usize) -> f64 {
    object_id as f64
}

/// A count of bytes as a number.
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

/// A description, or null.
pub(crate) fn description(
    env: &Env,
    description: Option<RTCSessionDescription>,
) -> Result<Option<Unknown<'static>>> {
    description.map(|description| to_js(env, &description)).transpose()
}
