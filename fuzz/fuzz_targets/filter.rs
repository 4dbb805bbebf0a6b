//! Any text is read or refused, and what is printed of a filter is read back as the same.
#![no_main]

use sockeye::filter::{Filter, directory::Empty};

libfuzzer_sys::fuzz_target!(|text: &str| {
    match Filter::parse(text, &Empty) {
        Ok(filter) => {
            let printed = filter.to_string();
            match Filter::parse(&printed, &Empty) {
                Ok(again) => assert_eq!(again.to_string(), printed, "{text}"),
                Err(error) => panic!("{text} was printed as {printed}: {error}"),
            }
        }
        Err(error) => assert!(text.get(error.span.clone()).is_some()),
    }
});
