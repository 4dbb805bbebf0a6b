use super::*;
use serde_json::Value;

#[test]
fn no_line_is_wider_than_80_columns_and_none_ends_in_blanks() {
    for topic in explain::topics() {
        for line in text(topic, Device::PIPE).lines() {
            assert!(line.width() <= WIDTH, "{}: {line}", topic.name);
            assert_eq!(line, line.trim_end(), "{}", topic.name);
        }
    }
}

#[test]
fn a_narrow_terminal_gets_narrow_text_and_a_wide_one_80_columns() {
    let topic = explain::find("memory").unwrap();
    let at = |width| text(topic, Device { width: Some(width), ..Device::PIPE });
    let widest = |text: &str| text.lines().map(UnicodeWidthStr::width).max().unwrap();
    assert!(widest(&at(60)) <= 60);
    assert_eq!(at(200), at(80));
    assert_eq!(at(80), text(topic, Device::PIPE));
    assert_ne!(at(60), at(80));
}

#[test]
fn what_is_to_be_pasted_stays_on_one_line() {
    for topic in explain::topics() {
        for line in text(topic, Device::PIPE).lines() {
            assert!(line.matches('`').count() % 2 == 0, "{}: {line}", topic.name);
        }
    }
    assert_eq!(wrap("see `a b c` now", 8), ["see", "`a b c`", "now"]);
    assert_eq!(wrap("after 60 s, gone", 9), ["after", "60 s,", "gone"]);
}

#[test]
fn colour_is_on_headings_alone_and_adds_nothing_but_itself() {
    let topic = explain::find("close").unwrap();
    let coloured = text(topic, Device { colour: true, ..Device::PIPE });
    assert!(coloured.contains("\x1b[1mWhy four segments\x1b[0m\n"));
    let plain = text(topic, Device::PIPE);
    assert!(!plain.contains('\x1b'));
    assert_eq!(coloured.replace("\x1b[1m", "").replace("\x1b[0m", ""), plain);
}

#[test]
fn a_terminal_without_unicode_gets_ascii() {
    for topic in explain::topics() {
        let text = text(topic, Device { unicode: false, ..Device::PIPE });
        assert!(text.is_ascii(), "{}", topic.name);
    }
}

#[test]
fn json_has_the_keys_of_the_contract_and_lists_topics_in_the_index_alone() {
    let host = Host { name: Some("web1".into()), kernel: None };
    let read = |name| -> Value {
        let topic = explain::find(name).unwrap();
        serde_json::from_slice(&json(topic, &host, SystemTime::UNIX_EPOCH).unwrap()).unwrap()
    };
    let rtt = read("rtt");
    assert_eq!(rtt["schema"], "sockeye.explain/1");
    assert_eq!(rtt["generated_at"], "1970-01-01T00:00:00.000Z");
    assert_eq!(rtt["host"]["name"], "web1");
    assert_eq!(rtt["host"]["kernel"], Value::Null);
    assert_eq!(rtt["topic"], "rtt");
    assert_eq!(rtt["kind"], "column");
    assert_eq!(rtt["topics"].as_array().unwrap().len(), 0);
    assert!(rtt["text"].as_str().unwrap().contains("tcp_info.rtt_us"));
    let index = read("topics");
    assert_eq!(index["topics"].as_array().unwrap().len(), explain::topics().len() - 1);

    let schema: Value =
        serde_json::from_str(&crate::view::schema::text("explain").unwrap()).unwrap();
    let required: Vec<&str> =
        schema["required"].as_array().unwrap().iter().map(|k| k.as_str().unwrap()).collect();
    for key in &required {
        assert!(rtt.get(key).is_some(), "{key}");
    }
    assert_eq!(required.len(), rtt.as_object().unwrap().len());
    assert!(schema["properties"]["kind"]["enum"].as_array().unwrap().contains(&rtt["kind"]));
}
