//! The command `xai`: explains a model file on a table, without a line of Rust.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong use, 130 stopped by Ctrl-C.

mod absence;
mod args;
mod case;
mod commands;
mod failure;
mod files;
mod labels;
mod progress;
mod rows;
mod steps;
mod tabular;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = args::Args::parse();
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(args: args::Args) -> Result<(), failure::Failure> {
    progress::stop_on_ctrl_c();
    match args.command.unwrap_or_default() {
        args::Command::Demo(args) => commands::demo::run(&args),
        args::Command::Predict(args) => commands::predict::run(&args),
        args::Command::Explain(args) => commands::explain::run(&args),
        args::Command::Layers(args) => commands::layers::run(&args),
        args::Command::Merge(args) => commands::merge::run(&args),
        args::Command::Importance(args) => commands::importance::run(&args),
        args::Command::Effects(args) => commands::effects::run(&args),
        args::Command::Report(args) => commands::report::run(&args),
        args::Command::Bench(args) => commands::bench::run(&args),
        args::Command::Plot(args) => commands::plot::run(&args),
        args::Command::Methods(args) => commands::methods::run(&args),
    }
}
