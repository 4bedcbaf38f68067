//! A claim of the language as the checker takes it.

use pullback_check::{ClaimLayout, Subject};
use pullback_lang::Layout;
use pullback_lang::program::Claim;
use pullback_ops::Val;

/// What a claim is about.
pub fn subject(claim: &Claim) -> Subject {
    let subject = Subject::repeated(&claim.of, &claim.wrt);
    let fixed: &[Val] = &claim.fixed;
    subject.holding(fixed).by_symmetric(claim.symmetric)
}

/// The layout of a claim.
pub fn layout(layout: Layout) -> ClaimLayout {
    match layout {
        Layout::Default => ClaimLayout::Either,
        Layout::Row => ClaimLayout::Row,
        Layout::Col => ClaimLayout::Column,
    }
}
