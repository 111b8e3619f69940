//! How many paths may still be followed.

#[derive(Debug, Clone, Default)]
pub(super) struct Budget {
    left: usize,
    /// A path was refused at least once.
    pub(super) reached: bool,
}

impl Budget {
    pub(super) fn new(paths: usize) -> Self {
        Self { left: paths, reached: false }
    }

    /// Room for whatever takes the place of paths that are there already.
    pub(super) fn unbounded() -> Self {
        Self::new(usize::MAX)
    }

    /// Takes room for one path; false when there is none.
    pub(super) fn take(&mut self) -> bool {
        let granted = self.left > 0;
        self.left -= usize::from(granted);
        self.reached |= !granted;
        granted
    }

    pub(super) fn give_back(&mut self, paths: usize) {
        self.left = self.left.saturating_add(paths);
    }
}
