//! Values of the page become values of Rust, and the other way.

use std::str::FromStr;

use idl::{
    Error, RTCError, RTCErrorDetailType, RTCErrorInit, RTCSessionDescription,
    RTCSessionDescriptionInit,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue};

use super::js;

/// A dictionary as an object. Members that are `None` do not exist.
pub(crate) fn to_object(dictionary: &impl Serialize) -> Result<JsValue, Error> {
    // Members of a dictionary that inherits are a map to serde.
    let serializer = Serializer::new().serialize_maps_as_objects(true);
    let object = dictionary.serialize(&serializer);
    object.map_err(|error| Error::TypeError(error.to_string()))
}

/// An object as a dictionary.
pub(crate) fn from_object<T: DeserializeOwned>(object: JsValue) -> Result<T, Error> {
    serde_wasm_bindgen::from_value(object).map_err(|error| Error::TypeError(error.to_string()))
}

/// A value of an enumeration; `None` for a string that this crate does not know.
pub(crate) fn value<T: FromStr>(string: impl AsRef<str>) -> Option<T> {
    string.as_ref().parse().ok()
}

/// What the page has thrown.
pub(crate) fn error(thrown: JsValue) -> Error {
    if !thrown.is_object() {
        let text = thrown.as_string();
        return Error::OperationError(text.unwrap_or_else(|| format!("{thrown:?}")));
    }
    let exception: js::Exception = thrown.unchecked_into();
    if let Some(error) = rtc_error(&exception) {
        return Error::RTCError(error);
    }
    let message = exception.message().unwrap_or_default();
    match exception.name().unwrap_or_default().as_str() {
        "InvalidStateError" => Error::InvalidStateError(message),
        "InvalidAccessError" => Error::InvalidAccessError(message),
        "InvalidCharacterError" => Error::InvalidCharacterError(message),
        "InvalidModificationError" => Error::InvalidModificationError(message),
        "OperationError" => Error::OperationError(message),
        "SyntaxError" => Error::SyntaxError(message),
        "TypeError" => Error::TypeError(message),
        "RangeError" => Error::RangeError(message),
        "NotSupportedError" => Error::NotSupportedError(message),
        "NetworkError" => Error::NetworkError(message),
        // A name that webrtc-pc does not use.
        other => Error::OperationError(format!("{other}: {message}")),
    }
}

/// webrtc-pc §11.1, if the exception is one of these.
pub(crate) fn rtc_error(exception: &js::Exception) -> Option<RTCError> {
    let error_detail = value::<RTCErrorDetailType>(exception.error_detail()?)?;
    let init = RTCErrorInit {
        error_detail,
        sdp_line_number: exception.sdp_line_number(),
        sctp_cause_code: exception.sctp_cause_code(),
        received_alert: exception.received_alert(),
        sent_alert: exception.sent_alert(),
    };
    Some(RTCError::new(init, exception.message().unwrap_or_default()))
}

/// The description in a slot of the page's connection.
pub(crate) fn description(
    description: Option<js::SessionDescription>,
) -> Option<RTCSessionDescription> {
    let description = description?;
    let type_ = value(description.type_())?;
    let sdp = description.sdp().unwrap_or_default();
    Some(RTCSessionDescription::new(RTCSessionDescriptionInit { type_, sdp }))
}
