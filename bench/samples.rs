// Included by each program: how it is timed, and what it prints.

use std::time::Instant;

/// Prints the seconds that each of `samples` batches of `batch` calls took, divided by `batch`, after one batch that does
/// not count.
fn print_samples(samples: usize, batch: usize, mut call: impl FnMut()) {
    let mut seconds = Vec::new();
    for sample in 0..=samples {
        let start = Instant::now();
        for _ in 0..batch {
            call();
        }
        if sample > 0 {
            seconds.push(start.elapsed().as_secs_f64() / batch as f64);
        }
    }
    println!("{seconds:?}");
}
