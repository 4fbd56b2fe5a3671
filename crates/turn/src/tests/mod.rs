//! Stories of a client and a server on one virtual clock.

mod allocate;
mod binding;
mod close;
mod coturn;
mod data;
mod hostile;
mod peers;
mod refresh;
mod world;
