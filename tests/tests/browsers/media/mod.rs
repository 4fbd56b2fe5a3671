//! The negotiation of media with browsers.

mod codecs;
mod joining;
mod restarts;
mod sections;
mod simulcast;
mod streams;
