//! `cargo xtask test`: every check of the workspace in one command, which first installs what the
//! machine lacks. `cargo xtask interop`: the checks with other stacks alone. `cargo xtask media`:
//! the synthetic media, made anew. `cargo xtask features`, `cargo xtask packages` and `cargo xtask
//! web`: single steps, for other systems. `cargo xtask help` lists the steps.

#![forbid(unsafe_code)]

mod arguments;
mod checks;
mod deny;
mod interop;
mod machine;
mod media;
mod packages;
mod report;
mod targets;
mod tools;
mod web;

use std::process::ExitCode;

use arguments::{Command, USAGE};

fn main() -> ExitCode {
    match arguments::parse(std::env::args().skip(1)) {
        Ok(Command::Help) => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        Ok(Command::Test(extent)) => checks::test(extent),
        Ok(Command::Interop(filter)) => checks::interop(filter.as_deref()),
        Ok(Command::Features) => checks::features(),
        Ok(Command::Packages) => checks::packages(),
        Ok(Command::Media) => media::make(),
        Ok(Command::Web) => checks::web(),
        Err(error) => {
            eprint!("cargo xtask: {error}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}
