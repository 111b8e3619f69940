//! Where the value of a rule comes from: one path, the first of several, an element of an array, flags, or the parts of
//! an object.

use super::build::Builder;
use super::fields::{Element, Field, Source, Work};
use super::file::{OtherElements, PartFile, Role};
use super::picks::{Elements, FirstOf, Flag, Flags, Made, Object, Origin, Owner, Part, Pick, Take, ToFlags, Way};
use super::{Kind, PlanError};
use crate::path::{join, print_path};

/// A value that a rule found: where, and what it is called.
pub(super) struct Fed {
    pub slot: usize,
    pub made: Option<usize>,
    /// Printed path from the top of its scope.
    pub path: String,
    pub depth: usize,
}

impl Builder {
    pub(super) fn make(&mut self) -> Made {
        self.made += 1;
        Made { slot: self.places.slot(), number: self.made - 1 }
    }

    /// Places the paths of a rule.
    pub(super) fn origin(&mut self, scope: usize, field: &Field<'_>, owner: Owner) -> Result<Origin, PlanError> {
        let node = self.scopes[scope].node;
        match field.source {
            Source::Several => Err(PlanError::plain("A field of the plan has no path.")),
            Source::Path(path) => {
                let way = self.places.place(node, path)?;
                let again = self.places.claim(&way);
                let shared = field.element.is_some() && self.elements_of(scope, &Origin::Way(way.clone())).is_some();
                if again && field.element.is_some() && !shared {
                    return Err(claimed_twice(&way));
                }
                Ok(Origin::Way(way))
            }
            Source::FirstOf(paths) => {
                let ways = paths.iter().map(|path| self.places.place(node, path)).collect::<Result<Vec<_>, _>>()?;
                let same = |pick: &Pick| match pick {
                    Pick::FirstOf(first) => first.ways.iter().map(|way| way.slot).eq(ways.iter().map(|way| way.slot)),
                    _ => false,
                };
                let picks = self.scopes[scope].picks.clone();
                if let Some(number) = picks.into_iter().find(|&number| same(&self.picks[number])) {
                    let origin = Origin::FirstOf(number);
                    if field.element.is_none() || self.elements_of(scope, &origin).is_none() {
                        return Err(claimed_twice(&ways[0]));
                    }
                    return Ok(origin);
                }
                for way in &ways {
                    self.claim_alone(scope, way)?;
                }
                let made = self.make();
                let hidden = self.is_hidden(owner) || self.is_hidden_route(&field.work);
                self.picks.push(Pick::FirstOf(FirstOf { ways, made, hidden }));
                Ok(Origin::FirstOf(self.picks.len() - 1))
            }
        }
    }

    pub(super) fn is_hidden_route(&self, work: &Work<'_>) -> bool {
        let (table, columns): (usize, Vec<usize>) = match work {
            Work::Route { table, columns, .. } => (*table, columns.to_vec()),
            Work::ToFlags { table, flags } => (*table, flags.iter().map(|(_, column)| *column).collect()),
            _ => return false,
        };
        let columns = columns.into_iter().filter_map(|column| self.known(table, column).ok());
        columns.into_iter().any(|owner| self.is_hidden(owner))
    }

    /// Claims a path for a rule that must be the only one; the `_id` may be looked at besides.
    pub(super) fn claim_alone(&mut self, scope: usize, way: &Way) -> Result<(), PlanError> {
        let own_id = self.scopes[scope].table == self.first && way.path == "_id";
        if self.places.claim(way) && !own_id {
            return Err(claimed_twice(way));
        }
        Ok(())
    }

    /// The value at an origin, as it is.
    pub(super) fn whole(&self, origin: &Origin) -> Fed {
        match origin {
            Origin::Way(way) => Fed { slot: way.slot, made: None, path: way.path.clone(), depth: way.depth() },
            Origin::FirstOf(pick) => {
                let Pick::FirstOf(first) = &self.picks[*pick] else {
                    return Fed { slot: 0, made: None, path: String::new(), depth: 1 };
                };
                let way = &first.ways[0];
                let Made { slot, number } = first.made;
                Fed { slot, made: Some(number), path: way.path.clone(), depth: way.depth() }
            }
        }
    }

    /// The pick of this scope that takes elements of the array at an origin.
    pub(super) fn elements_of(&self, scope: usize, origin: &Origin) -> Option<usize> {
        let mut picks = self.scopes[scope].picks.start..self.picks.len();
        picks.find(|&number| match (&self.picks[number], origin) {
            (Pick::Elements(Elements { origin: Origin::Way(known), .. }), Origin::Way(way)) => known.slot == way.slot,
            (Pick::Elements(Elements { origin: Origin::FirstOf(known), .. }), Origin::FirstOf(pick)) => known == pick,
            _ => false,
        })
    }

    /// One element of the array at an origin.
    pub(super) fn element(
        &mut self,
        scope: usize,
        origin: Origin,
        element: &Element<'_>,
        owner: Owner,
    ) -> Result<Fed, PlanError> {
        let array = self.whole(&origin);
        let of_path = print_path(element.of);
        let made = self.make();
        let take = Take {
            index: element.index,
            of: element.of.iter().map(|key| key.as_bytes().into()).collect(),
            of_path: of_path.clone(),
            coerce: element.coerce,
            made,
            owner,
        };
        let drops = element.others == OtherElements::Drop;
        let hidden = self.is_hidden(owner);
        let number = match self.elements_of(scope, &origin) {
            Some(number) => number,
            None => {
                let mut dropped = None;
                if drops {
                    self.dropped.push(join(&self.scopes[scope].path, &array.path));
                    dropped = Some(self.dropped.len() - 1);
                }
                self.picks.push(Pick::Elements(Elements { origin, takes: Vec::new(), dropped, hidden }));
                self.picks.len() - 1
            }
        };
        if let Pick::Elements(elements) = &mut self.picks[number] {
            if elements.dropped.is_some() != drops {
                let path = &array.path;
                return Err(PlanError::plain(format!("The elements of {path} are both kept and dropped.")));
            }
            elements.hidden |= hidden;
            elements.takes.push(take);
        }
        let path = join(&array.path, &of_path);
        Ok(Fed { slot: made.slot, made: Some(made.number), path, depth: array.depth })
    }

    pub(super) fn flags(
        &mut self,
        scope: usize,
        (table, column): (usize, usize),
        flags: &[(&[String], &str)],
        coerce: bool,
    ) -> Result<(), PlanError> {
        let (node, own) = (self.scopes[scope].node, self.scopes[scope].table);
        let mut placed = Vec::with_capacity(flags.len());
        for (path, label) in flags {
            let way = self.places.place(node, path)?;
            self.claim_alone(scope, &way)?;
            placed.push(Flag { way, label: label.as_bytes().into() });
        }
        let Some(first) = placed.first() else {
            return Ok(());
        };
        let mut fed = Fed { slot: first.way.slot, made: None, path: first.way.path.clone(), depth: first.way.depth() };
        let above = join(&self.scopes[scope].path, &fed.path);
        let target = self.checked(own, (table, column), &above)?;
        let array = target.kind.array;
        let number = self.picks.len();
        let made = if array { None } else { Some(self.make()) };
        if let Some(made) = made {
            fed.slot = made.slot;
            fed.made = Some(made.number);
        }
        self.fill(self.first + table, column, &fed)?;
        if array {
            let target = &mut self.tables[self.first + table].columns[column];
            (target.several, target.slot) = (Some(number), None);
        }
        let table = self.first + table;
        self.picks.push(Pick::Flags(Flags { flags: placed, table, column, coerce, made }));
        Ok(())
    }

    pub(super) fn object(
        &mut self,
        scope: usize,
        (table, column): (usize, usize),
        parts: &[PartFile],
    ) -> Result<(), PlanError> {
        let (node, own) = (self.scopes[scope].node, self.scopes[scope].table);
        let mut placed: Vec<Part> = Vec::with_capacity(parts.len());
        for part in parts {
            let way = self.places.place(node, &part.path)?;
            self.claim_alone(scope, &way)?;
            if placed.iter().any(|known| *known.key == *part.key) {
                return Err(PlanError::plain(format!("Two fields are the member {:?} of one object.", part.key)));
            }
            let path = part.path.iter().map(|key| key.as_bytes().into()).collect();
            placed.push(Part { way, key: part.key.as_str().into(), path });
        }
        let Some(first) = placed.first() else {
            return Ok(());
        };
        let fed = Fed { slot: first.way.slot, made: None, path: first.way.path.clone(), depth: first.way.depth() };
        let above = join(&self.scopes[scope].path, &fed.path);
        let target = self.checked(own, (table, column), &above)?;
        if target.kind.kind != Kind::Jsonb || target.kind.array || target.role != Role::Value {
            let (name, what) = (target.name.clone(), "holds an object of several fields, so it is jsonb");
            return Err(PlanError::column(&self.tables[own].name, &name, what));
        }
        self.fill(own, column, &fed)?;
        let number = self.picks.len();
        let target = &mut self.tables[own].columns[column];
        (target.several, target.slot) = (Some(number), None);
        self.picks.push(Pick::Object(Object { parts: placed }));
        Ok(())
    }

    pub(super) fn flags_of_labels(
        &mut self,
        scope: usize,
        table: usize,
        flags: &[(&str, usize)],
        origin: Origin,
    ) -> Result<(), PlanError> {
        if let Origin::Way(way) = &origin {
            // Claimed once by its origin already; a second claim is another rule's.
            let shared = |pick: &Pick| match pick {
                Pick::Elements(Elements { origin: Origin::Way(known), .. })
                | Pick::ToFlags(ToFlags { origin: Origin::Way(known), .. }) => known.slot == way.slot,
                _ => false,
            };
            if self.picks[self.scopes[scope].picks.start..].iter().any(shared) {
                return Err(claimed_twice(way));
            }
        }
        let whole = self.whole(&origin);
        let own = self.scopes[scope].table;
        let mut labels = Vec::with_capacity(flags.len());
        let mut hidden = false;
        for (label, column) in flags {
            let made = self.make();
            let fed = Fed { slot: made.slot, made: Some(made.number), path: whole.path.clone(), depth: whole.depth };
            self.feed(own, (table, *column), &fed, &whole.path)?;
            let target = &self.tables[own].columns[*column];
            if target.kind.kind != Kind::Boolean || target.kind.array || target.role != Role::Value {
                let what = "holds one label of many, so it is a boolean";
                return Err(PlanError::column(&self.tables[own].name, &target.name, what));
            }
            hidden |= target.sensitive;
            labels.push((label.as_bytes().into(), made));
        }
        let column = flags.first().map_or(0, |(_, column)| *column);
        self.picks.push(Pick::ToFlags(ToFlags { origin, labels, table: own, column, hidden }));
        Ok(())
    }
}

fn claimed_twice(way: &Way) -> PlanError {
    PlanError::plain(format!("The path {} is taken by two fields.", way.path))
}
