//! The negotiation of media with browsers.

mod sections;
