//! Against servers that answer what a test wants.

#[path = "../../tests/targets/handmade.rs"]
mod handmade;

use futures_util::FutureExt;
use session::{
    Address, HttpConfig, HttpResponse, HttpSession, MAX_BODY_BYTES, Method, Output, Publish, Time,
    Token,
};
use wire::{MediaSessionId, StreamName};

use super::*;
use handmade::{Handmade, response};

const SECRET: &str = "s3cret";

/// What a session posts to publish at `url`.
fn offer(url: &str) -> HttpRequest {
    let Ok(Address::Http(address)) = Address::parse(url) else {
        panic!("{url} is an HTTP address");
    };
    let mut session = HttpSession::new(HttpConfig {
        address,
        token: Some(Token::new(SECRET).unwrap()),
        stream_timeout: Duration::from_secs(10),
    });
    let id = MediaSessionId::new("m");
    let inputs = [
        Input::Connect,
        Input::Publish(Publish {
            id: id.clone(),
            name: StreamName::new("test"),
            custom: None,
        }),
        Input::OfferCreated {
            id,
            sdp: "v=0 offer".to_owned(),
            has_audio: true,
            has_video: true,
        },
    ];
    for input in inputs {
        session.handle(input, Time::new(Duration::ZERO)).unwrap();
    }
    let request = std::iter::from_fn(|| session.poll_output()).find_map(|output| {
        let Output::Request(request) = output else {
            return None;
        };
        Some(request)
    });
    request.unwrap()
}

fn delete(url: &str) -> HttpRequest {
    HttpRequest {
        method: Method::Delete,
        url: url.to_owned(),
        body: String::new(),
        content_type: None,
        ..offer(url)
    }
}

fn requests() -> Requests {
    Requests::new(&TlsOptions::default()).unwrap()
}

/// Exactly one thing comes of a request.
async fn input(requests: &mut Requests, request: HttpRequest) -> Input {
    requests.start(request);
    let (input, _) = requests.next().await;
    assert_eq!(requests.next().now_or_never(), None);
    input
}

async fn answer(requests: &mut Requests, request: HttpRequest) -> HttpResponse {
    let id = request.id;
    let input = input(requests, request).await;
    let Input::Response { id: of, response } = input else {
        panic!("{input:?}");
    };
    assert_eq!(of, id);
    response
}

async fn failure(request: HttpRequest) -> String {
    let id = request.id;
    let input = input(&mut requests(), request).await;
    let Input::RequestFailed { id: of, error } = input else {
        panic!("{input:?}");
    };
    assert_eq!(of, id);
    error
}

async fn server(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> (Handmade, String) {
    let server = Handmade::start(answer).await;
    let url = format!("http://{}", server.addr);
    (server, url)
}

/// Redirects everything to `url`.
async fn redirecting(status: &'static str, url: String) -> (Handmade, String) {
    server(move |_| response(status, &[("Location", &url)])).await
}

fn has_token(request: &str) -> bool {
    request.contains(&format!("authorization: Bearer {SECRET}\r\n"))
}

#[tokio::test]
async fn a_request_goes_out_whole_and_its_response_comes_back() {
    let (server, url) = server(|_| {
        "HTTP/1.1 201 Created\r\nLocation: ../whip/test/1?a=b\r\nETag: \"x\"\r\n\
         Link: <stun:a>; rel=ice-server\r\nLink: <stun:b>; rel=ice-server\r\n\
         Content-Type: application/sdp\r\nRetry-After: 3\r\nContent-Length: 10\r\n\r\nv=0 answer"
            .to_owned()
    })
    .await;
    let mut request = offer(&url);
    request.if_match = Some("\"tag\"".to_owned());
    let response = answer(&mut requests(), request).await;
    let expected = HttpResponse {
        status: 201,
        location: Some(format!("{url}/whip/test/1?a=b")),
        etag: Some("\"x\"".to_owned()),
        links: vec![
            "<stun:a>; rel=ice-server".to_owned(),
            "<stun:b>; rel=ice-server".to_owned(),
        ],
        content_type: Some("application/sdp".to_owned()),
        retry_after: Some("3".to_owned()),
        body: "v=0 answer".to_owned(),
    };
    assert_eq!(response, expected);
    let [request] = server.requests().try_into().unwrap();
    assert!(request.starts_with("POST /whip/test HTTP/1.1\r\n"));
    assert!(request.ends_with("\r\n\r\nv=0 offer"), "{request}");
    assert!(request.contains("content-type: application/sdp\r\n"));
    assert!(request.contains("if-match: \"tag\"\r\n"), "{request}");
    assert!(has_token(&request), "{request}");
}

#[tokio::test]
async fn redirects_keep_method_and_body() {
    for status in ["301 a", "302 a", "307 a", "308 a"] {
        let (last, _) = server(move |request| {
            if request.contains(" /whip/test ") {
                response(status, &[("Location", "/moved/here")])
            } else {
                response("201 Created", &[("Location", "1")])
            }
        })
        .await;
        let url = format!("http://{}", last.addr);
        let response = answer(&mut requests(), offer(&url)).await;
        let location = Some(format!("{url}/moved/1"));
        assert_eq!((response.status, response.location), (201, location));
        let asked = last.requests();
        assert!(asked[1].starts_with("POST /moved/here "), "{status}");
        assert!(asked[1].ends_with("\r\n\r\nv=0 offer"), "{status}");
        // It is still the server that the token is for.
        assert!(asked.iter().all(|request| has_token(request)), "{status}");
    }
}

#[tokio::test]
async fn a_token_goes_to_no_server_that_a_redirect_led_to() {
    let (other, other_url) = server(|_| response("201 Created", &[("Location", "/1")])).await;
    let (own, own_url) = redirecting("307 a", format!("{other_url}/whip/test")).await;
    let mut requests = requests();
    let made = answer(&mut requests, offer(&own_url)).await.location;
    let made = made.unwrap();
    assert_eq!(made, format!("{other_url}/1"));
    answer(&mut requests, delete(&made)).await;
    assert!(has_token(&own.requests()[0]));
    let [post, deletion] = other.requests().try_into().unwrap();
    assert!(post.ends_with("v=0 offer") && !has_token(&post), "{post}");
    assert!(deletion.starts_with("DELETE /1 "), "{deletion}");
    assert!(!has_token(&deletion), "{deletion}");
}

#[tokio::test]
async fn a_token_goes_where_the_server_itself_says_the_stream_is() {
    let (other, other_url) = server(|_| response("200 OK", &[])).await;
    let location = format!("{other_url}/1");
    let (_own, own_url) = server(move |_| response("201 a", &[("Location", &location)])).await;
    let mut requests = requests();
    let made = answer(&mut requests, offer(&own_url)).await.location;
    answer(&mut requests, delete(&made.unwrap())).await;
    assert!(has_token(&other.requests()[0]));
}

#[tokio::test]
async fn redirects_that_lead_nowhere_are_failures() {
    for location in ["ftp://a/", "http://user:secret@a/", "http://", "//"] {
        let (_server, url) = redirecting("307 a", location.to_owned()).await;
        assert_eq!(failure(offer(&url)).await, "it redirects to nowhere");
    }
    let (_server, url) = server(|_| response("307 a", &[])).await;
    assert_eq!(failure(offer(&url)).await, "it redirects to nowhere");
    let (server, url) = redirecting("307 a", "/again".to_owned()).await;
    let sentence = failure(offer(&url)).await;
    assert_eq!(sentence, "it redirects more than 5 times");
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn a_server_redirected_to_is_named_when_it_is_not_there() {
    // Free again as soon as the listener is dropped.
    let free = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let gone = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let (_server, url) = redirecting("307 a", gone.clone()).await;
    let expected = format!("redirected to {gone}: nothing listens on this port");
    assert!(failure(offer(&url)).await.starts_with(&expected));
}

#[tokio::test]
async fn other_statuses_are_responses() {
    for status in [200, 300, 303, 304, 401, 404, 409, 503] {
        let status_line = format!("{status} a");
        let (_server, url) = server(move |_| response(&status_line, &[("Location", "/x")])).await;
        let response = answer(&mut requests(), offer(&url)).await;
        assert_eq!(response.status, status);
    }
}

#[tokio::test]
async fn a_body_is_cut_where_the_session_stops_reading() {
    for length in [MAX_BODY_BYTES, MAX_BODY_BYTES + 1, 3 * MAX_BODY_BYTES] {
        let (_server, url) = server(move |_| {
            let body = "x".repeat(length);
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}")
        })
        .await;
        let response = answer(&mut requests(), offer(&url)).await;
        assert_eq!(response.body.len(), length.min(MAX_BODY_BYTES + 1));
    }
}

#[tokio::test]
async fn what_is_no_answer_is_a_failure() {
    let (_server, url) = server(|_| "\u{15}\u{3}\u{3}".to_owned()).await;
    let sentence = failure(offer(&url)).await;
    assert!(sentence.starts_with("it does not answer in HTTP ("));
    assert!(sentence.ends_with("): if it wants TLS, try https://"));
    let (_server, url) =
        server(|_| "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nv=0".to_owned()).await;
    let sentence = failure(offer(&url)).await;
    assert!(sentence.starts_with("it does not answer in HTTP ("));
}

#[tokio::test]
async fn requests_come_back_in_any_order() {
    let (_fast, fast_url) = server(|_| response("200 OK", &[])).await;
    // Nobody takes its connections.
    let slow = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let slow_url = format!("http://{}", slow.local_addr().unwrap());
    let mut requests = requests();
    requests.start(offer(&slow_url));
    requests.start(offer(&fast_url));
    let (first, _) = requests.next().await;
    assert!(matches!(first, Input::Response { response, .. } if response.status == 200));
    assert_eq!(requests.next().now_or_never(), None);
    // Its connection is closed without a word.
    drop(slow.accept().unwrap());
    let (second, _) = requests.next().await;
    assert!(matches!(second, Input::RequestFailed { .. }), "{second:?}");
}

#[tokio::test]
async fn the_own_address_is_that_of_the_way_to_a_url() {
    for host in ["127.0.0.1", "127.0.0.1:8080", "localhost"] {
        let url = format!("http://{host}/whip/{{name}}");
        let address = local_address_towards(&url).await.unwrap();
        assert!(address.is_loopback(), "{host}: {address}");
    }
    assert!(local_address_towards("http://").await.is_err());
}
