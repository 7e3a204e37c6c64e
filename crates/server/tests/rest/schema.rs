//! JSON Schema (2020-12), as far as the API's description uses it. A word that is not
//! known here is an error, so that none is passed over.

use serde_json::{Map, Value};

/// Words that check nothing.
const ANNOTATIONS: [&str; 3] = ["description", "contentEncoding", "contentMediaType"];

/// What is wrong with `instance`, if anything is. References lead into `document`.
pub(crate) fn errors(schema: &Value, instance: &Value, document: &Value) -> Vec<String> {
    let schema = schema.as_object().expect("a schema is an object");
    let check = |(word, rule): (&String, &Value)| match word.as_str() {
        "$ref" => {
            let reference = rule.as_str().unwrap().trim_start_matches('#');
            errors(document.pointer(reference).unwrap(), instance, document)
        }
        "anyOf" | "oneOf" => {
            let fits = |schema: &&Value| errors(schema, instance, document).is_empty();
            let fitting = rule.as_array().unwrap().iter().filter(fits).count();
            let enough = fitting == 1 || (word == "anyOf" && fitting > 0);
            wrong(enough, instance, &format!("{word}: {fitting} fit"))
        }
        "properties" => properties(rule.as_object().unwrap(), instance, document),
        "items" => {
            let items = instance.as_array().into_iter().flatten();
            items
                .flat_map(|item| errors(rule, item, document))
                .collect()
        }
        word if ANNOTATIONS.contains(&word) => Vec::new(),
        word => wrong(holds(word, rule, schema, instance), instance, word),
    };
    schema.iter().flat_map(check).collect()
}

fn properties(rules: &Map<String, Value>, instance: &Value, document: &Value) -> Vec<String> {
    let there = rules
        .iter()
        .filter_map(|(name, rule)| Some((rule, instance.get(name)?)));
    there
        .flat_map(|(rule, value)| errors(rule, value, document))
        .collect()
}

/// Whether a word's rule holds. Rules for other types than the instance's do.
fn holds(word: &str, rule: &Value, schema: &Map<String, Value>, instance: &Value) -> bool {
    match word {
        "type" => match rule {
            Value::Array(types) => types.iter().any(|wanted| is_of(wanted, instance)),
            wanted => is_of(wanted, instance),
        },
        "const" => instance == rule,
        "enum" => rule.as_array().unwrap().contains(instance),
        "required" => {
            let mut names = rule.as_array().unwrap().iter();
            names.all(|name| instance.get(name.as_str().unwrap()).is_some())
        }
        "additionalProperties" => {
            assert_eq!(rule, &Value::Bool(false), "any other is not known here");
            let known = schema["properties"].as_object().unwrap();
            let mut names = instance.as_object().into_iter().flat_map(Map::keys);
            names.all(|name| known.contains_key(name))
        }
        "minItems" => instance
            .as_array()
            .is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
        "minimum" => instance
            .as_f64()
            .is_none_or(|n| n >= rule.as_f64().unwrap()),
        "maximum" => instance
            .as_f64()
            .is_none_or(|n| n <= rule.as_f64().unwrap()),
        unknown => panic!("{unknown} is not known here"),
    }
}

fn is_of(wanted: &Value, instance: &Value) -> bool {
    match wanted.as_str().unwrap() {
        "null" => instance.is_null(),
        "boolean" => instance.is_boolean(),
        "integer" => instance.is_i64() || instance.is_u64(),
        "number" => instance.is_number(),
        "string" => instance.is_string(),
        "array" => instance.is_array(),
        "object" => instance.is_object(),
        unknown => panic!("{unknown} is no type"),
    }
}

fn wrong(holds: bool, instance: &Value, word: &str) -> Vec<String> {
    let error = || format!("{word} is against {instance}");
    (!holds).then(error).into_iter().collect()
}

#[test]
fn what_is_wrong_is_found() {
    use serde_json::json;
    let document = json!({ "of": { "type": "object", "properties": {
        "n": { "type": ["integer", "null"], "minimum": 1 },
        "list": { "type": "array", "minItems": 1, "items": { "enum": ["a", 1] } },
    }, "required": ["n"], "additionalProperties": false } });
    let schema = json!({ "$ref": "#/of" });
    for (instance, expected) in [
        (json!({ "n": 1, "list": ["a", 1] }), 0),
        (json!({ "n": null }), 0),
        (json!({ "n": 0 }), 1),
        (json!({ "n": "1" }), 1),
        (json!({ "list": [] }), 2),
        (json!({ "n": 1, "list": ["b"] }), 1),
        (json!({ "n": 1, "more": 1 }), 1),
        (json!([]), 2),
    ] {
        let found = errors(&schema, &instance, &document);
        assert_eq!(found.len(), expected, "{instance}: {found:?}");
    }
    let either = json!({ "oneOf": [{ "required": ["a"] }, { "required": ["b"] }] });
    let both = errors(&either, &json!({ "a": 1, "b": 1 }), &document);
    assert_eq!(both.len(), 1);
}
