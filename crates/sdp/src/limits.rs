//! What bounds the memory and time a text can take. A video section of a browser has about 7 KiB
//! and 150 lines, so there is room for several hundred of them.

/// The longest text [`Description::parse`](crate::Description::parse) reads, in bytes: 4 MiB.
pub const MAX_LENGTH: usize = 4 << 20;

/// The longest line of a description, and the longest candidate, in bytes: 64 KiB.
pub const MAX_LINE_LENGTH: usize = 64 << 10;

/// The greatest number of lines of a description.
pub const MAX_LINES: usize = 100_000;

/// The greatest number of media sections of a description.
pub const MAX_MEDIA: usize = 4096;
