//! Media between this library and browsers: what one page paints and plays, another one shows and
//! hears, through us. `flow.js` is the page's half.

mod clips;
mod echo;
mod first_section;
mod forwarder;
mod layers;
mod mid_call;
mod silence;
mod source;
mod statistics;
mod tones;
mod watch;
mod wire;
