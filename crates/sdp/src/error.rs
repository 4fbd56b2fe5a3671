use std::borrow::Cow;

/// Why a text is not a session description, an attribute value or a candidate.
///
/// [`line`](Error::line) is what webrtc-pc calls `sdpLineNumber`: the first line has the number 1
/// (webrtc-pc §11.1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct Error {
    line: Option<usize>,
    message: Cow<'static, str>,
}

impl Error {
    pub(crate) fn new(message: impl Into<Cow<'static, str>>) -> Error {
        Error { line: None, message: message.into() }
    }

    /// The same error, found on `line`; a line that is known already is kept.
    pub(crate) fn on_line(mut self, line: usize) -> Error {
        self.line.get_or_insert(line);
        self
    }

    /// The number of the line, from 1; `None` where there is no text with lines (a value that was
    /// parsed by itself) or the text as a whole is at fault.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// What is wrong, without the line number.
    pub fn message(&self) -> &str {
        &self.message
    }
}
