//! Whose packet it is (RFC 9143 §9.2, which RFC 8843 §9.2 was): the section of the description, the
//! layer of simulcast, and whether it repairs another stream.
//!
//! | module | what |
//! |---|---|
//! | `section` | what descriptions say, as tables |
//! | `demultiplexer` | what packets say, and what follows |
//! | `early` | datagrams that come before there are keys |

mod demultiplexer;
mod early;
mod section;

#[cfg(test)]
mod tests;

pub use demultiplexer::{Demultiplexer, News, Route, Unroutable};
pub use early::Early;
pub use section::{ExtensionNumbers, Section, Source};
