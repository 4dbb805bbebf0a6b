//! The `format` file of an event: where its fields lie. Never hard-coded: kernels move them.

use std::collections::BTreeMap;

/// Where a field lies within a record, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From the beginning of the record.
    pub offset: usize,
    /// Its size.
    pub size: usize,
}

/// The fields of an event by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Format {
    /// `ID`, which each record begins with (`common_type`). `None`: the file does not tell.
    pub id: Option<u16>,
    fields: BTreeMap<String, Place>,
}

impl Format {
    /// Reads the text of the file: lines `field:TYPE NAME; offset:N; size:N; signed:N;`, where an
    /// array has `[N]` behind its name. Other lines are passed over.
    pub fn parse(text: &str) -> Self {
        let mut format = Self::default();
        for line in text.lines() {
            if let Some(id) = line.strip_prefix("ID:") {
                format.id = id.trim().parse().ok();
            }
            if let Some((name, place)) = field(line) {
                format.fields.insert(name.to_owned(), place);
            }
        }
        format
    }

    /// Where a field lies; `None`: this kernel's event has no such field.
    pub fn place(&self, name: &str) -> Option<Place> {
        self.fields.get(name).copied()
    }
}

fn field(line: &str) -> Option<(&str, Place)> {
    let (declaration, rest) = line.trim().strip_prefix("field:")?.split_once(';')?;
    let name = declaration.split('[').next()?.split_whitespace().next_back()?;
    let number = |key: &str| -> Option<usize> {
        let (_, value) = rest.split_once(key)?;
        value.split(';').next()?.trim().parse().ok()
    };
    Some((name, Place { offset: number("offset:")?, size: number("size:")? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name_whatever_their_type() {
        let text = "name: x\nID: 2287\nformat:\n\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n\
                    \tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;\n\
                    \tfield:__u8 saddr_v6[16];\toffset:40;\tsize:16;\tsigned:0;\n\
                    \tfield:bad;\toffset:x;\tsize:4;\n\nprint fmt: \"field:%s\", REC->family\n";
        let format = Format::parse(text);
        assert_eq!(format.id, Some(2287));
        assert_eq!(format.place("common_pid"), Some(Place { offset: 4, size: 4 }));
        assert_eq!(format.place("skaddr"), Some(Place { offset: 8, size: 8 }));
        assert_eq!(format.place("saddr_v6"), Some(Place { offset: 40, size: 16 }));
        assert_eq!(format.place("bad"), None);
    }
}
