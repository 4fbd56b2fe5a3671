//! The negotiation of media with browsers.

mod codecs;
mod glare;
mod joining;
mod recycling;
mod restarts;
mod sections;
mod simulcast;
mod streams;
