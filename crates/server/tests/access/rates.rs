//! How often one address may come, and how much it may have open.

use std::net::SocketAddr;

use twoway_server::access::Proxies;
use twoway_server::counters::Reason;
use twoway_server::limits::AddressLimits;
use twoway_server::net::Live;

use crate::client::{Client, counted, soon};
use crate::web::{get, request};
use crate::who::serve;

/// Nothing limited, and nobody believed.
const FREE: AddressLimits = AddressLimits {
    sockets: 0,
    connections_per_second: 0,
    requests_per_second: 0,
};

fn limited(limits: AddressLimits, proxies: &[&str]) -> Live {
    let proxies = proxies.iter().map(|proxy| proxy.parse().unwrap());
    Live {
        limits,
        proxies: Proxies(proxies.collect()),
        ..Live::default()
    }
}

async fn ask_for(addr: SocketAddr, client: &str) -> u16 {
    let headers = [("X-Forwarded-For", client)];
    request(addr, "GET", "/api/health", &headers, &[])
        .await
        .status
}

#[tokio::test]
async fn an_address_has_so_many_web_sockets() {
    let limits = AddressLimits { sockets: 2, ..FREE };
    let server = serve(limited(limits, &[])).await;
    let addr = server.addr();
    let open = async || Client::open_with(addr, "/", &[]).await;
    let (first, second) = (open().await.unwrap(), open().await.unwrap());
    assert_eq!(open().await.err(), Some(429));
    counted(&server, Reason::BusyAddress, 1).await;
    assert_eq!(get(addr, "/api/health").await.status, 200);
    drop(first);
    let third = soon(async {
        loop {
            if let Ok(third) = open().await {
                return third;
            }
        }
    });
    drop((second, third.await));
    server.shutdown().await;
}

#[tokio::test]
async fn an_address_connects_so_often() {
    let limits = AddressLimits {
        connections_per_second: 1,
        ..FREE
    };
    let server = serve(limited(limits, &[])).await;
    let mut statuses = Vec::new();
    // Ten at once and one a second: more than these do not fit into any minute.
    while !statuses.contains(&503) {
        statuses.push(get(server.addr(), "/api/health").await.status);
    }
    assert!(statuses.len() > 10, "{statuses:?}");
    assert!(server.counters().of(Reason::BusyAddress) > 0);
    server.shutdown().await;
    // A proxy speaks for many.
    let server = serve(limited(limits, &["127.0.0.1"])).await;
    for _ in 0..30 {
        assert_eq!(get(server.addr(), "/api/health").await.status, 200);
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_client_behind_a_proxy_asks_so_often_and_others_do_not_matter() {
    let limits = AddressLimits {
        requests_per_second: 1,
        ..FREE
    };
    let server = serve(limited(limits, &["127.0.0.0/8"])).await;
    let addr = server.addr();
    let mut asked = 0;
    while ask_for(addr, "198.51.100.7, 192.0.2.1").await == 200 {
        asked += 1;
    }
    assert!(asked >= 10, "{asked}");
    assert_eq!(ask_for(addr, "192.0.2.2").await, 200);
    counted(&server, Reason::BusyAddress, 1).await;
    server.shutdown().await;
    // Nobody else is believed.
    let server = serve(limited(limits, &["192.0.2.0/24"])).await;
    let addr = server.addr();
    let mut statuses = Vec::new();
    while !statuses.contains(&429) {
        let client = format!("192.0.2.{}", statuses.len() % 200);
        statuses.push(ask_for(addr, &client).await);
    }
    server.shutdown().await;
}
