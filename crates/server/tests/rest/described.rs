//! Calls whose answers must be what `/rest-api/openapi.json` says.

use std::net::SocketAddr;

use serde_json::Value;

use crate::client::{config, start};
use crate::schema::errors;
use crate::web::{Response, get, request};

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// What the API says of itself.
pub(crate) fn description() -> Value {
    serde_json::from_str(include_str!("../../src/net/rest/openapi.json")).unwrap()
}

/// Posts a body; the answer is as described, and so is the body if it is taken.
pub(crate) async fn post(addr: SocketAddr, path: &str, body: Value) -> (u16, Value) {
    let full = format!("/rest-api{path}");
    let text = body.to_string();
    let response = request(addr, "POST", &full, &[JSON], text.as_bytes()).await;
    if response.status == 200 {
        let takes = &description()["paths"][path]["post"]["requestBody"];
        check(&takes["content"]["application/json"]["schema"], &body);
    }
    checked("post", path, &response)
}

/// Asks without a body; the answer is as described.
pub(crate) async fn ask(addr: SocketAddr, path: &str) -> (u16, Value) {
    let response = get(addr, &format!("/rest-api{path}")).await;
    checked("get", path.split('?').next().unwrap(), &response)
}

/// What lists of streams have as ids, in order.
pub(crate) fn ids(list: &Value) -> Vec<&str> {
    let items = list.as_array().unwrap().iter();
    items
        .map(|item| item["mediaSessionId"].as_str().unwrap())
        .collect()
}

#[track_caller]
fn checked(method: &str, path: &str, response: &Response) -> (u16, Value) {
    let answer: Value = serde_json::from_str(response.text()).unwrap();
    let description = description();
    let told = &description["paths"][path][method]["responses"][response.status.to_string()];
    assert!(
        told.is_object(),
        "{method} {path}: {} {answer}",
        response.status
    );
    let told = match told["$ref"].as_str() {
        Some(reference) => description.pointer(&reference[1..]).unwrap(),
        None => told,
    };
    check(&told["content"]["application/json"]["schema"], &answer);
    (response.status, answer)
}

#[track_caller]
fn check(schema: &Value, instance: &Value) {
    assert!(schema.is_object(), "nothing is described for {instance}");
    let errors = errors(schema, instance, &description());
    assert!(errors.is_empty(), "{instance}: {errors:?}");
}

#[tokio::test]
async fn every_method_of_every_path_is_there_and_no_other() {
    let server = start(config()).await;
    let description = description();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let full = format!("/rest-api{path}");
            let response = request(server.addr(), method, &full, &[], &[]).await;
            let described = methods.get(method.to_lowercase()).is_some();
            let is_there = response.status != 405;
            assert_eq!(is_there, described, "{method} {path}");
            if is_there {
                checked(&method.to_lowercase(), path, &response);
            } else {
                response.expect("allow");
            }
        }
    }
    server.shutdown().await;
}

#[test]
fn examples_are_what_the_schemas_say() {
    let mut examples = 0;
    for (path, methods) in description()["paths"].as_object().unwrap() {
        for operation in methods.as_object().unwrap().values() {
            let body = &operation["requestBody"]["content"]["application/json"];
            if body.is_object() {
                assert!(body["example"].is_object(), "{path}");
                check(&body["schema"], &body["example"]);
                examples += 1;
            }
        }
    }
    assert!(examples > 6, "{examples}");
}
