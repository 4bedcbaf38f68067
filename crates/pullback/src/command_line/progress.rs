//! Progress on standard error, for whatever lasts over a second, where somebody watches.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::report::visible;

/// No line comes sooner than this after the start, and none sooner after another.
const PERIOD: Duration = Duration::from_secs(1);

/// Says what is being done, a line a second at most. Says nothing where standard error is no terminal.
pub struct Progress(Option<(Sender<String>, JoinHandle<()>)>);

impl Progress {
    pub fn new() -> Progress {
        if !std::io::stderr().is_terminal() {
            return Progress(None);
        }
        let (sender, tasks) = channel();
        Progress(Some((sender, std::thread::spawn(move || tell(&tasks, &mut std::io::stderr())))))
    }

    /// From now on this is being done.
    pub fn begins(&mut self, task: String) {
        if let Some((sender, _)) = &self.0 {
            // Without its thread there is nobody to tell; the work goes on.
            let _ = sender.send(task);
        }
    }

    /// All is done: no line comes after this.
    pub fn ends(&mut self) {
        if let Some((sender, thread)) = self.0.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}

/// Writes the latest task whenever a period is over, each task once, until there are no more.
fn tell(tasks: &Receiver<String>, to: &mut impl Write) {
    let mut latest: Option<String> = None;
    let mut due = Instant::now() + PERIOD;
    loop {
        match tasks.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(task) => latest = Some(task),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(task) = latest.take() {
                    let _ = writeln!(to, "{} …", visible(&task));
                }
                due = Instant::now() + PERIOD;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
