//! A number a rule compares with, with its reason.

/// From where on a rule speaks.
#[derive(Debug, Clone, Copy)]
pub struct Threshold {
    /// Its word in the config file, with the unit (`warning_percent`).
    pub key: &'static str,
    /// The number.
    pub value: f64,
    /// Why this number.
    pub why: &'static str,
}

impl Threshold {
    /// A number with its reason.
    pub const fn new(key: &'static str, value: f64, why: &'static str) -> Self {
        Self { key, value, why }
    }
}
