//! Passes over tables: against arrays step by step, at sizes of one tile and of many, and what is refused.

use pullback_array::random::Generator;
use pullback_array::tiles::{Form, Step, Tiles};
use pullback_array::{Array, DType, Each, Pairs, each, pairs};

static SQUARE: Each = each!(|x| x * x);
static DIV: Pairs = pairs!(|a, b| a / b);
static MUL: Pairs = pairs!(|a, b| a * b);

fn bits(array: &Array) -> Vec<u64> {
    array.to_vec_f64().into_iter().map(f64::to_bits).collect()
}

/// x² / Σx² by rows, times a weight for each column, and the sums of its columns.
fn steps() -> Vec<Step> {
    vec![
        Step::Each(&SQUARE, 0),
        Step::SumRow(2),
        Step::Pairs(&DIV, 2, 3),
        Step::Pairs(&MUL, 4, 1),
        Step::SumColumn(5),
        Step::MaxRow(5),
    ]
}

#[test]
fn a_pass_is_its_steps() -> pullback_array::Result<()> {
    let mut generator = Generator::new(3);
    for dtype in [DType::F32, DType::F64] {
        for (rows, columns) in [(1, 1), (3, 5), (1, 5000), (700, 13), (5, 2048), (3, 4099)] {
            let outputs =
                vec![(5, vec![rows, columns]), (6, vec![columns]), (7, vec![rows, 1]), (3, vec![rows])];
            let tiles =
                Tiles::new(dtype, [rows, columns], vec![Form::Place, Form::Column], steps(), outputs)?;
            // Rows that lie in memory column by column.
            let x = generator.randn(&[columns, rows], dtype)?.permute(&[1, 0])?;
            let weight = generator.randn(&[columns], dtype)?;
            let squares = x.each(&SQUARE)?;
            let sum = squares.sum(&[1], true)?;
            let y = squares.pairs(&sum, "div", &DIV)?.pairs(&weight, "mul", &MUL)?;
            let expected = [y.clone(), y.sum(&[0], false)?, y.max(&[1], true)?, sum.reshape(&[rows])?];
            for (found, expected) in tiles.run(&[&x, &weight])?.iter().zip(&expected) {
                assert_eq!(found.shape(), expected.shape());
                assert_eq!(bits(found), bits(expected), "{dtype} {rows} by {columns}");
            }
        }
    }
    Ok(())
}

#[test]
fn what_is_no_program_is_refused() {
    let new = |size, steps, outputs| {
        let made = Tiles::new(DType::F64, size, vec![Form::Place, Form::Column], steps, outputs);
        made.err().map(|error| error.message().to_string())
    };
    let whole = || vec![(5, vec![2, 3])];
    assert_eq!(new([2, 3], steps(), whole()), None);
    let cases = [
        new([0, 3], steps(), whole()),
        // A sum of columns is known at the end; a step comes after those it reads; a column has no rows to sum.
        new([2, 3], vec![Step::SumColumn(0), Step::Pairs(&MUL, 0, 2)], vec![(3, vec![2, 3])]),
        new([2, 3], vec![Step::Each(&SQUARE, 2)], Vec::new()),
        new([2, 3], vec![Step::SumRow(1)], Vec::new()),
        // An input is no output, and an output has the elements of its form.
        new([2, 3], steps(), vec![(0, vec![2, 3])]),
        new([2, 3], steps(), vec![(5, vec![2, 3]), (5, vec![2, 3])]),
        new([2, 3], steps(), vec![(5, vec![5])]),
        new([2, 3], steps(), vec![(99, vec![])]),
    ];
    for (case, found) in cases.iter().enumerate() {
        assert!(
            found.as_ref().is_some_and(|message| message.starts_with("tiles: ")),
            "case {case}: {found:?}"
        );
    }
}

#[test]
fn other_inputs_than_were_told_are_refused() -> pullback_array::Result<()> {
    let inputs = vec![Form::Place, Form::Column];
    let tiles = Tiles::new(DType::F64, [2, 3], inputs, steps(), vec![(5, vec![2, 3])])?;
    let (x, w) = (Array::ones(&[2, 3], DType::F64)?, Array::ones(&[3], DType::F64)?);
    assert!(tiles.run(&[&x, &w]).is_ok());
    assert!(tiles.run(&[&x]).is_err() && tiles.run(&[&w, &x]).is_err());
    assert!(tiles.run(&[&x.cast(DType::F32)?, &w]).is_err());
    Ok(())
}
