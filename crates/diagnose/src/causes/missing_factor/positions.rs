//! A stride or a dilation is missing where a convolution looks its positions up: they are the factors of an index, `2k + o`.
//!
//! The gradient of a convolution's weights dilates the cotangent by the stride, that of its input by the dilation.

use crate::causes::convolution::{Convolution, KEYWORDS, distances};
use crate::edit::Edit;
use crate::tree::Place;
use crate::words::Words;

pub(super) fn edits(place: &Place<'_>) -> Vec<Edit> {
    let Some(convolution) = Convolution::of(place.expr) else { return Vec::new() };
    let mut edits = Vec::new();
    for keyword in KEYWORDS {
        let Some(is) = convolution.distance(keyword) else { continue };
        for other in distances(place).into_iter().filter(|&other| other != is) {
            let with = convolution.with(keyword, other);
            let words = Words::new().say(format!("The {keyword} is {is} and is to be {other}: ")).expr(&with);
            let label = Words::new().source(format!("{keyword}={other}")).say(" belongs here");
            let edit = Edit::new(with, 2, words.say(" is meant."));
            edits.push(edit.at(place.expr.span, label));
        }
    }
    edits
}
