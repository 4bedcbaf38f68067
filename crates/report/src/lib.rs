//! Pure data to text and JSON.
