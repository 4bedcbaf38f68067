//! A backward pass gives memory back. The counter belongs to the process, so that this test has one of its own.

use pullback_array::{Array, DType, memory};
use pullback_autograd::tensor::{Result, Tensor};

const BYTES: usize = 8 * 1000;

/// Arrays of a thousand numbers that are alive beside those of `before`.
fn arrays_since(before: usize) -> f64 {
    (memory::live() - before) as f64 / BYTES as f64
}

#[test]
fn what_the_rules_read_is_freed() -> Result<()> {
    let before = memory::live();
    let x = Tensor::new(Array::full(&[1000], 0.5, DType::F64)?).requires_grad_(true)?;
    let mut y = x.clone();
    for _ in 0..10 {
        // The tanh reads its result, the shift reads nothing; its result is the next one's operand.
        y = (&y.tanh()? + 1.0)?;
    }
    let loss = y.sum()?;
    drop(y);
    let recorded = arrays_since(before);
    assert!(recorded >= 20.0, "{recorded}: x and the results of ten layers of two operations are held");
    loss.pass().retain_graph(true).backward()?;
    assert!(arrays_since(before) >= recorded, "nothing is freed where the graph is retained");
    loss.backward()?;
    // What is left is x and its gradient, and a few numbers.
    let left = arrays_since(before);
    assert!((2.0..2.1).contains(&left), "{left} arrays are left");
    drop((x, loss));
    assert_eq!(memory::live(), before);
    Ok(())
}
