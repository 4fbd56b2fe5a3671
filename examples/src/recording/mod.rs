//! Files of media: what `record` writes and `play` reads. Nothing is encoded or decoded.
//!
//! - [`ivf`]: frames of video, in the simplest container there is
//! - [`ogg_opus`]: packets of Opus in Ogg (RFC 7845)
//! - [`order`]: packets in order, for whoever writes them

pub mod ivf;
pub mod ogg_opus;
pub mod order;

#[cfg(test)]
mod tests;
