//! Values that do not simply lie at one path: they are made once a level is read, before its row is written.

/// Where one path of a rule leads.
#[derive(Debug, Clone)]
pub struct Way {
    pub slot: usize,
    /// Printed path from the top of its scope.
    pub path: String,
    /// Level by level: the node and the number of the entry in it.
    pub steps: Vec<(usize, usize)>,
}

impl Way {
    /// Keys in the path.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.steps.len()
    }
}

/// The place of a made value.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    pub slot: usize,
    /// Its number among all made values of a plan.
    pub number: usize,
}

/// Where a pick finds the value it works on.
#[derive(Debug, Clone)]
pub enum Origin {
    Way(Way),
    /// What an earlier pick of this number, a [`FirstOf`], took.
    FirstOf(usize),
}

/// One value to be made.
#[derive(Debug, Clone)]
pub enum Pick {
    FirstOf(FirstOf),
    Elements(Elements),
    Flags(Flags),
    Object(Object),
    ToFlags(ToFlags),
}

/// The first of several paths that holds something else than null.
#[derive(Debug, Clone)]
pub struct FirstOf {
    pub ways: Vec<Way>,
    pub made: Made,
    /// Its values are sensitive.
    pub hidden: bool,
}

/// Single elements of one array.
#[derive(Debug, Clone)]
pub struct Elements {
    pub origin: Origin,
    pub takes: Vec<Take>,
    /// The dropped path under which elements that nobody takes are counted; without it the array is left over.
    pub dropped: Option<usize>,
    pub hidden: bool,
}

/// One element, or what lies inside it.
#[derive(Debug, Clone)]
pub struct Take {
    /// From 0; negative from the end.
    pub index: i64,
    /// Path inside the element; empty for the element itself.
    pub of: Vec<Box<[u8]>>,
    /// The same, printed.
    pub of_path: String,
    /// A single value stands for an array of one.
    pub coerce: bool,
    pub made: Made,
    pub owner: Owner,
}

/// What a pick's refusals and counts speak of.
#[derive(Debug, Clone, Copy)]
pub enum Owner {
    Column { table: usize, column: usize },
    Table { table: usize, hidden: bool },
}

/// Booleans at several paths that become labels of one column.
#[derive(Debug, Clone)]
pub struct Flags {
    pub flags: Vec<Flag>,
    pub table: usize,
    pub column: usize,
    pub coerce: bool,
    /// The first true label, for a column that holds one; a column that is an array reads the flags itself.
    pub made: Option<Made>,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct Flag {
    pub way: Way,
    pub label: Box<[u8]>,
}

/// Values at several paths that become the members of one object.
#[derive(Debug, Clone)]
pub struct Object {
    pub parts: Vec<Part>,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct Part {
    pub way: Way,
    pub key: Box<str>,
    /// Keys of its path, one after the other.
    pub path: Vec<Box<[u8]>>,
}

/// Labels in one array that become boolean columns.
#[derive(Debug, Clone)]
pub struct ToFlags {
    pub origin: Origin,
    pub labels: Vec<(Box<[u8]>, Made)>,
    /// The column of the first label.
    pub table: usize,
    pub column: usize,
    /// One of the columns is sensitive.
    pub hidden: bool,
}
