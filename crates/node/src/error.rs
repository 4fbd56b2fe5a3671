//! Turns the crate's errors into exceptions, which the JavaScript layer constructs.

use napi::bindgen_prelude::{FnArgs, Unknown};
use napi::{Env, Result, Status};
use peerconnection::{Error, RTCError, RTCErrorInit};

use crate::convert::to_js;
use crate::environment::Environment;

/// Makes the exception for an error.
pub(crate) fn exception(env: &Env, error: Error) -> Result<Unknown<'static>> {
    match error {
        Error::RTCError(error) => rtc_error(env, &error),
        error => {
            let environment = Environment::current()?;
            let make = environment.exception.borrow_back(env)?;
            make.call(FnArgs::from((error.name(), error.message().to_owned())))
        }
    }
}

/// Makes the `RTCError` for an error.
pub(crate) fn rtc_error(env: &Env, error: &RTCError) -> Result<Unknown<'static>> {
    let environment = Environment::current()?;
    let init = RTCErrorInit {
        error_detail: error.error_detail,
        sdp_line_number: error.sdp_line_number,
        sctp_cause_code: error.sctp_cause_code,
        received_alert: error.received_alert,
        sent_alert: error.sent_alert,
    };
    let init = to_js(env, &init)?;
    environment.rtc_error.borrow_back(env)?.call(FnArgs::from((init, error.message.clone())))
}

/// Throws the exception for an error. The returned `napi` error says that an exception is pending.
pub(crate) fn throw(env: &Env, error: Error) -> napi::Error {
    match exception(env, error).and_then(|exception| env.throw(exception)) {
        Ok(()) => napi::Error::new(Status::PendingException, ""),
        Err(error) => error,
    }
}

/// Throws the error of a result of the crate.
pub(crate) trait OrThrow<T> {
    fn or_throw(self, env: &Env) -> Result<T>;
}

impl<T> OrThrow<T> for std::result::Result<T, Error> {
    fn or_throw(self, env: &Env) -> Result<T> {
        self.map_err(|error| throw(env, error))
    }
}
