//! What a profile may hold.

use serde::Deserialize;

/// Bounds of the memory that a profile takes, whatever the documents hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Paths that are followed; keys beyond are counted as unlisted.
    pub paths: usize,
    /// Different keys of the documents at one path; with more they are profiled together.
    pub keys: usize,
    /// Bytes of the longest key that is followed.
    pub key_bytes: usize,
    /// Different values that are kept at one path.
    pub values: usize,
    /// Bytes of the longest text that is kept as a value.
    pub value_bytes: usize,
    /// Hashes of the sketch at one path.
    pub sketch: usize,
    /// Bytes of the set of ids.
    pub ids_bytes: usize,
    /// How many ids there may be when they do not fit exactly; 0 for four times as many as fit.
    pub expected: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            paths: 20_000,
            keys: 256,
            key_bytes: 1024,
            values: 64,
            value_bytes: 80,
            sketch: 256,
            ids_bytes: 64 << 20,
            expected: 0,
        }
    }
}

impl Limits {
    /// Reads limits from JSON; what is not named has its default, what makes no sense is moved into its bounds.
    ///
    /// # Errors
    /// A sentence for text that is not such JSON.
    pub fn parse(json: &str) -> Result<Self, String> {
        let said = |error| format!("The limits cannot be read: {error}.");
        let json: serde_json::Value = serde_json::from_str(json).map_err(said)?;
        // A list of numbers would do for the struct, too.
        if !json.is_object() {
            return Err("The limits cannot be read: they are no JSON object.".to_owned());
        }
        let limits: Self = serde_json::from_value(json).map_err(said)?;
        Ok(limits.bounded())
    }

    /// The same, each moved into its bounds.
    pub(crate) fn bounded(self) -> Self {
        Self {
            paths: self.paths.max(1),
            // Their positions have 16 bits.
            keys: self.keys.clamp(1, 32_000),
            values: self.values.min(100_000),
            sketch: self.sketch.clamp(16, 1 << 16),
            ids_bytes: self.ids_bytes.max(1024),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_are_not_named_have_their_defaults() {
        assert_eq!(Limits::parse("{}"), Ok(Limits::default()));
        let limits = Limits::parse(r#"{"keys": 9, "sketch": 1, "paths": 0}"#).unwrap();
        assert_eq!((limits.keys, limits.sketch, limits.paths, limits.values), (9, 16, 1, 64));
        assert!(Limits::parse(r#"{"kyes": 9}"#).unwrap_err().contains("kyes"));
        assert!(
            Limits::parse("[").is_err() && Limits::parse("[]").is_err() && Limits::parse(r#"{"keys": -1}"#).is_err()
        );
    }
}
