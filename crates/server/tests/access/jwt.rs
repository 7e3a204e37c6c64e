//! JSON Web Tokens that are none, over both signalling worlds.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;
use twoway_server::access::jwt::Jwt;
use twoway_server::access::{Access, Denied};
use twoway_server::net::Live;

use crate::client::{Client, counted, publish};
use crate::who::{assert_denied, connect, plays, post, publishes, restricted, serve, with_token};

const SECRET: &[u8] = b"a secret of more than thirty-two bytes";

/// A token that lets publish and play cam-1, `from_now` seconds yet.
fn token(secret: &[u8], audience: &str, from_now: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let claims = json!({
        "exp": now.as_secs().saturating_add_signed(from_now), "aud": audience,
        "publish": "cam-1", "play": ["cam-1"],
    });
    let key = EncodingKey::from_secret(secret);
    encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
}

fn by_secret() -> Live {
    Live {
        access: Access {
            jwt: Some(Jwt::new(SECRET, Some("live"), None).unwrap()),
            ..Access::default()
        },
        ..Live::default()
    }
}

#[tokio::test]
async fn a_valid_one_gives_what_it_says() {
    let server = serve(by_secret()).await;
    let valid = token(SECRET, "live", 60);
    let mut client = connect(server.addr(), Some(&valid)).await;
    assert_eq!(publishes(&mut client, "cam-1").await, "cam-1 PUBLISHING");
    assert_eq!(plays(&mut client, "v", "cam-1").await, "v PLAYING");
    let refused = restricted("cam-2", Denied::NotAllowed);
    assert_eq!(publishes(&mut client, "cam-2").await, refused);
    let played = post(server.addr(), "/whep/cam-1", Some(&valid)).await;
    assert_eq!(played.status, 201);
    let refused = post(server.addr(), "/whip/cam-2", Some(&valid)).await;
    assert_denied(&refused, Denied::NotAllowed);
    server.shutdown().await;
}

#[tokio::test]
async fn a_wrong_one_opens_nothing_anywhere_and_is_counted() {
    let valid = token(SECRET, "live", 60);
    let truncated = &valid[..valid.len() - 4];
    let forged = token(b"another secret of more than thirty-two bytes", "live", 60);
    let unsigned = {
        let (signed, _) = valid.rsplit_once('.').unwrap();
        format!("{signed}.")
    };
    for (token, denied) in [
        (token(SECRET, "live", -60).as_str(), Denied::Expired),
        (token(SECRET, "other", 60).as_str(), Denied::WrongAudience),
        (truncated, Denied::BadToken),
        (forged.as_str(), Denied::BadToken),
        (unsigned.as_str(), Denied::BadToken),
    ] {
        let server = serve(by_secret()).await;
        let addr = server.addr();
        let mut client = connect(addr, Some(token)).await;
        let why = format!("Restricted access: {denied}");
        assert_eq!(client.failure().await, why);
        assert_eq!(client.close_code().await, 1008);
        let mut client = connect(addr, None).await;
        client.send(&with_token(publish("p", "cam-1"), token)).await;
        assert_eq!(client.status().await, restricted("p", denied));
        let bearer = format!("Bearer {token}");
        let opened = Client::open_with(addr, "/", &[("authorization", &bearer)]).await;
        assert_eq!(opened.err(), Some(401));
        for path in ["/whip/cam-1", "/whep/cam-1"] {
            assert_denied(&post(addr, path, Some(token)).await, denied);
        }
        counted(&server, denied.reason(), 5).await;
        server.shutdown().await;
    }
}
