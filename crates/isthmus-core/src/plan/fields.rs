//! One rule of the plan, checked for the keys that its `do` needs and for those that it does not know.

use super::file::{FieldFile, FlagFile, Job, OtherElements, PartFile};
use super::PlanError;
use crate::path::print_path;

/// A rule with nothing left open.
#[derive(Debug)]
pub(super) struct Field<'f> {
    pub source: Source<'f>,
    pub element: Option<Element<'f>>,
    pub work: Work<'f>,
}

/// Where a rule looks.
#[derive(Debug)]
pub(super) enum Source<'f> {
    Path(&'f [String]),
    FirstOf(&'f [Vec<String>]),
    /// At the paths of its flags, or of the parts of its object.
    Several,
}

/// Which element of the array at the source is meant.
#[derive(Debug)]
pub(super) struct Element<'f> {
    pub index: i64,
    pub of: &'f [String],
    pub others: OtherElements,
    pub coerce: bool,
}

/// What becomes of the value.
#[derive(Debug)]
pub(super) enum Work<'f> {
    Column { table: usize, column: usize },
    Pending { table: usize },
    Route { table: usize, columns: &'f [usize], required: bool },
    Flags { table: usize, column: usize, flags: Vec<(&'f [String], &'f str)>, coerce: bool },
    Object { table: usize, column: usize, parts: &'f [PartFile] },
    ToFlags { table: usize, flags: Vec<(&'f str, usize)> },
    Junction { table: usize },
    Child { table: usize, fields: &'f [FieldFile] },
    Drop,
}

impl<'f> Field<'f> {
    /// Checks one rule as it was read.
    ///
    /// # Errors
    /// A key that is missing, or that this rule cannot have.
    pub fn of(file: &'f FieldFile) -> Result<Self, PlanError> {
        let name = name(file);
        let wrong = |what: &str| PlanError::plain(format!("The field {name} {what}."));
        let needs = |key: &str| wrong(&format!("needs the key {key}"));
        let table = || file.table.ok_or_else(|| needs("table"));
        let column = || file.column.ok_or_else(|| needs("column"));
        let flags = || file.flags.as_deref().filter(|flags| !flags.is_empty()).ok_or_else(|| needs("flags"));
        let work = match file.job {
            Job::Column => Work::Column { table: table()?, column: column()? },
            Job::Pending => Work::Pending { table: table()? },
            Job::Route => {
                let columns = file.columns.as_deref().filter(|columns| !columns.is_empty());
                let columns = columns.ok_or_else(|| needs("columns"))?;
                Work::Route { table: table()?, columns, required: file.required }
            }
            Job::Flags => {
                let flag = |flag: &'f FlagFile| match (&flag.path, flag.column) {
                    (Some(path), None) => Ok((path.as_slice(), flag.label.as_str())),
                    _ => Err(wrong("has a flag without a path, or with a column")),
                };
                let flags = flags()?.iter().map(flag).collect::<Result<_, _>>()?;
                Work::Flags { table: table()?, column: column()?, flags, coerce: file.coerce }
            }
            Job::Object => {
                let parts = file.parts.as_deref().filter(|parts| !parts.is_empty()).ok_or_else(|| needs("parts"))?;
                Work::Object { table: table()?, column: column()?, parts }
            }
            Job::ToFlags => {
                let flag = |flag: &'f FlagFile| match (&flag.path, flag.column) {
                    (None, Some(column)) => Ok((flag.label.as_str(), column)),
                    _ => Err(wrong("has a label without a column, or with a path")),
                };
                Work::ToFlags { table: table()?, flags: flags()?.iter().map(flag).collect::<Result<_, _>>()? }
            }
            Job::Junction => Work::Junction { table: table()? },
            Job::Child => {
                Work::Child { table: table()?, fields: file.fields.as_deref().ok_or_else(|| needs("fields"))? }
            }
            Job::Drop => Work::Drop,
        };
        let strange = [
            ("table", file.table.is_some() && file.job == Job::Drop),
            ("column", file.column.is_some() && !matches!(file.job, Job::Column | Job::Flags | Job::Object)),
            ("columns", file.columns.is_some() && file.job != Job::Route),
            ("required", file.required && file.job != Job::Route),
            ("flags", file.flags.is_some() && !matches!(file.job, Job::Flags | Job::ToFlags)),
            ("parts", file.parts.is_some() && file.job != Job::Object),
            ("fields", file.fields.is_some() && file.job != Job::Child),
            (
                "element",
                file.element.is_some() && matches!(file.job, Job::Flags | Job::Object | Job::ToFlags | Job::Drop),
            ),
            ("of", file.of.is_some() && file.element.is_none()),
            ("others", file.others.is_some() && file.element.is_none()),
            ("coerce", file.coerce && file.element.is_none() && file.job != Job::Flags),
        ];
        if let Some((key, _)) = strange.iter().find(|(_, met)| *met) {
            return Err(wrong(&format!("has the key {key}, which it cannot use")));
        }
        let source = match (&file.path, &file.first_of, file.job) {
            (None, None, Job::Flags | Job::Object) => Source::Several,
            (_, _, Job::Flags | Job::Object) => return Err(wrong("has a path besides those of its parts")),
            (Some(path), None, _) => Source::Path(path),
            (None, Some(paths), _) if !paths.is_empty() => Source::FirstOf(paths),
            _ => return Err(wrong("needs either a path or a first_of")),
        };
        let element = file.element.map(|index| Element {
            index,
            of: file.of.as_deref().unwrap_or_default(),
            others: file.others.unwrap_or(OtherElements::Extras),
            coerce: file.coerce,
        });
        Ok(Self { source, element, work })
    }
}

/// What errors call a rule: its path, or the first of several.
fn name(file: &FieldFile) -> String {
    let first = file.first_of.as_ref().and_then(|paths| paths.first());
    let flag = file.flags.as_ref().and_then(|flags| flags.first()).and_then(|flag| flag.path.as_ref());
    let part = file.parts.as_ref().and_then(|parts| parts.first()).map(|part| &part.path);
    file.path
        .as_ref()
        .or(first)
        .or(flag)
        .or(part)
        .map_or_else(|| "(without a path)".to_owned(), |path| print_path(path))
}
