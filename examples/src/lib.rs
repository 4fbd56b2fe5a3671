//! What the examples share with one another and with their tests.

pub mod browser;
pub mod chat_anywhere;
pub mod handover;
pub mod pages;
mod real_stage;
pub mod recording;
pub mod restart;
pub mod samples;
pub mod story;
pub mod timeline;

pub use real_stage::RealStage;

/// Shows on standard error what the environment variable `RUST_LOG` asks for, such as
/// `RUST_LOG=peerconnection=debug`; without it, nothing. With `LOG_FORMAT=json` each line is JSON,
/// which the example `timeline` draws. This is all that an application needs to see what the library
/// says of itself.
pub fn show_logged() {
    if std::env::var_os("RUST_LOG").is_none() {
        return;
    }
    let format = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false);
    let format = format.with_env_filter(tracing_subscriber::EnvFilter::from_default_env());
    if std::env::var_os("LOG_FORMAT").is_some_and(|format| format == "json") {
        format.json().init();
    } else {
        format.init();
    }
}

/// Ends a program that takes no options if it was given any: with help, or with 2 as the exit code.
pub fn no_options(usage: &str) {
    match std::env::args().nth(1) {
        None => {}
        Some(word) if word == "--help" || word == "-h" => {
            println!("{usage}");
            std::process::exit(0);
        }
        Some(word) => {
            eprintln!("unknown option {word}\n{usage}");
            std::process::exit(2);
        }
    }
}
