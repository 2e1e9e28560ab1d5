//! Progress on a terminal's standard error, and Ctrl-C.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use xai::core::Observer;

static STOP: AtomicBool = AtomicBool::new(false);

/// How long a run has to notice Ctrl-C by itself.
const GRACE: Duration = Duration::from_millis(1500);

/// Makes Ctrl-C end the run at the next model call, and the process soon after if there is none: reading a file or
/// setting up a method. A file that is being written is finished first.
pub fn stop_on_ctrl_c() {
    // Without a handler Ctrl-C still ends the process, and files are still only ever replaced whole.
    let _ = ctrlc::set_handler(|| {
        STOP.store(true, Ordering::Relaxed);
        std::thread::sleep(GRACE);
        let _abandoned = crate::files::abandon();
        eprintln!("xai: stopped.");
        std::process::exit(130);
    });
}

/// A progress bar where somebody can see it.
pub struct Progress {
    bar: Option<ProgressBar>,
    /// Whether rows are counted rather than evaluations.
    rows: bool,
}

impl Progress {
    /// A bar that says what is done; none when standard error is no terminal.
    pub fn new(what: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(8));
            if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent}% {eta}") {
                bar.set_style(style);
            }
            bar.set_message(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Progress { bar, rows: false }
    }

    /// A bar that counts rows, as [`Progress::rows_done`] tells.
    pub fn of_rows(what: &str, n_rows: usize) -> Self {
        let mut progress = Progress::new(what);
        progress.rows = true;
        if let Some(bar) = &progress.bar {
            bar.set_length(n_rows as u64);
        }
        progress
    }

    /// Says what was done last; as a line of its own, where there is no bar, if it is worth one.
    pub fn says(&self, what: &str, line: bool) {
        match &self.bar {
            Some(bar) => bar.set_message(what.to_owned()),
            None if line => eprintln!("xai: {what}"),
            None => {}
        }
    }

    /// So many rows are done.
    pub fn rows_done(&self, n_rows: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(n_rows);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Progress {
    fn progress(&self, done: u64, total: u64) -> ControlFlow<()> {
        if let Some(bar) = self.bar.as_ref().filter(|_| !self.rows) {
            bar.set_length(total);
            bar.set_position(done);
        }
        if STOP.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Limits the threads of the whole process.
pub fn use_threads(n: Option<u16>) -> Result<(), crate::failure::Failure> {
    let Some(n) = n else { return Ok(()) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(n));
    pool.build_global().map_err(|error| xai::core::Error::model(error).into())
}
