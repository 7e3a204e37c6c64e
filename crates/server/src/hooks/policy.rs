//! `restClientConfig`: what an application asks for, by method, when a session connects.

use std::collections::BTreeMap;
use std::sync::Once;

use serde_json::{Map, Value};

use super::Method;
use super::body::FIELDS;

/// What is asked for of one session, by method.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Policies(BTreeMap<Method, Policy>);

/// What is asked for of one method.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Policy {
    /// `restPolicy: DISABLE`: not sent at all.
    pub(super) disabled: bool,
    /// `restOnError`.
    pub(super) on_refusal: Option<OnRefusal>,
    /// `restExclude`: the fields that are not sent.
    exclude: Vec<&'static str>,
}

/// What a refusal, or a failure, comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnRefusal {
    /// Nothing.
    Log,
    /// It is refused.
    Fail,
}

impl Policies {
    /// Those in the answer to `connect`, if there are any. What is none of them is left
    /// at what is usual.
    pub(super) fn read(answer: &Value) -> Option<Self> {
        let asked = answer.get("restClientConfig")?.as_object()?;
        let policies = Method::ALL.iter().filter_map(|method| {
            let policy = Policy::read(*method, asked.get(method.name())?);
            (policy != Policy::default()).then_some((*method, policy))
        });
        let policies: BTreeMap<_, _> = policies.collect();
        (!policies.is_empty()).then_some(Self(policies))
    }

    pub(super) fn of(&self, method: Method) -> Policy {
        self.0.get(&method).cloned().unwrap_or_default()
    }
}

impl Policy {
    fn read(method: Method, asked: &Value) -> Self {
        let text = |member| {
            asked
                .get(member)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let names = |member| text(member).split(',').map(str::trim);
        let rest_policy = text("restPolicy");
        let client_exclude = names("clientExclude").any(|name| !name.is_empty());
        if rest_policy.eq_ignore_ascii_case("OVERWRITE") || client_exclude {
            warn_once(method);
        }
        Self {
            // Its manuals spell it both ways.
            disabled: ["DISABLE", "DISABLED"]
                .iter()
                .any(|word| rest_policy.eq_ignore_ascii_case(word)),
            on_refusal: match text("restOnError").to_ascii_uppercase().as_str() {
                "LOG" => Some(OnRefusal::Log),
                "FAIL" => Some(OnRefusal::Fail),
                _ => None,
            },
            exclude: names("restExclude").filter_map(known).collect(),
        }
    }

    /// The body without what is to be left out.
    pub(super) fn encode(&self, mut body: Map<String, Value>) -> String {
        for name in &self.exclude {
            body.remove(*name);
        }
        Value::Object(body).to_string()
    }
}

/// Kept by our own name, so that an application cannot have a session keep more.
fn known(name: &str) -> Option<&'static str> {
    FIELDS.iter().copied().find(|field| *field == name)
}

fn warn_once(method: Method) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            method = method.name(),
            "the application asks in restClientConfig to change what clients send or are sent \
             (restPolicy OVERWRITE, clientExclude), which this server does not do; the rest of \
             restClientConfig holds"
        );
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(asked: Value, expected: &Policy) {
        let answer = json!({ "appKey": "a", "restClientConfig": { "playStream": asked } });
        let policies = Policies::read(&answer).unwrap_or_default();
        assert_eq!(&policies.of(Method::PlayStream), expected, "{asked}");
        assert_eq!(policies.of(Method::PublishStream), Policy::default());
    }

    #[test]
    fn what_an_application_asks_for_is_read_leniently() {
        let usual = Policy::default();
        let fail = Policy {
            on_refusal: Some(OnRefusal::Fail),
            ..Policy::default()
        };
        check(
            json!({ "clientExclude": "", "restExclude": "", "restOnError": "FAIL",
                    "restPolicy": "NOTIFY", "restOverwrite": "" }),
            &fail,
        );
        check(
            json!({ "restOnError": "fail", "restPolicy": "OVERWRITE" }),
            &fail,
        );
        check(
            json!({ "restOnError": "LOG", "restExclude": "sdp, custom,,nonsense" }),
            &Policy {
                on_refusal: Some(OnRefusal::Log),
                exclude: vec!["sdp", "custom"],
                ..Policy::default()
            },
        );
        let disabled = Policy {
            disabled: true,
            ..Policy::default()
        };
        check(json!({ "restPolicy": "DISABLE" }), &disabled);
        check(json!({ "restPolicy": "disabled" }), &disabled);
        for none in [
            json!({}),
            json!(null),
            json!("FAIL"),
            json!({ "restOnError": 1, "restExclude": ["sdp"], "restPolicy": "NOTIFY" }),
            json!({ "restOnError": "PERHAPS" }),
        ] {
            check(none, &usual);
        }
    }

    #[test]
    fn an_answer_without_it_leaves_nothing_to_keep() {
        for answer in [
            json!({}),
            json!([]),
            json!({ "restClientConfig": "x" }),
            json!({ "restClientConfig": { "playStream": {}, "unheardOf": { "restPolicy": "DISABLE" } } }),
        ] {
            assert_eq!(Policies::read(&answer), None, "{answer}");
        }
    }

    #[test]
    fn what_is_excluded_is_not_in_the_body() {
        let asked = json!({ "restExclude": "sdp" });
        let policy = Policy::read(Method::PlayStream, &asked);
        let body = json!({ "name": "a", "sdp": "v=0" });
        let Value::Object(body) = body else {
            panic!("{body}")
        };
        assert_eq!(policy.encode(body), r#"{"name":"a"}"#);
    }
}
