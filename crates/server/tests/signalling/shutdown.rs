//! The end of a server in this process.

use tokio::net::TcpStream;
use twoway_server::net::{self, StartError};

use crate::client::{Client, config, play, soon, start};

#[tokio::test]
async fn clients_are_told_and_closed() {
    let server = start(config()).await;
    let addr = server.addr();
    let mut publisher = Client::publishing(addr, "live").await;
    let mut viewer = Client::connect(addr).await;
    viewer.send(&play("v", "live")).await;
    assert_eq!(viewer.status().await, "v PLAYING");
    let ending = tokio::spawn(server.shutdown());
    let told = "p FAILED Stopped by session disconnect";
    assert_eq!(publisher.status().await, told);
    assert_eq!(publisher.close_code().await, 1001);
    assert_eq!(viewer.status().await, "v FAILED Stopped by publisher stop");
    assert_eq!(viewer.close_code().await, 1001);
    soon(ending).await.unwrap();
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn clients_that_do_not_answer_do_not_hold_it_up() {
    let server = start(config()).await;
    let _silent = Client::open(server.addr(), "/").await;
    let _idle = Client::publishing(server.addr(), "live").await;
    let _tcp = TcpStream::connect(server.addr()).await.unwrap();
    soon(server.shutdown()).await;
}

#[tokio::test]
async fn dropping_it_ends_it_too() {
    let server = start(config()).await;
    let mut client = Client::connect(server.addr()).await;
    drop(server);
    assert_eq!(client.close_code().await, 1001);
}

#[tokio::test]
async fn a_port_in_use_is_an_error_of_its_own() {
    let server = start(config()).await;
    let second = net::Config::new(server.addr());
    let result = net::serve(second, twoway_server::media::Config::default()).await;
    let Err(StartError::PortInUse { address, option }) = result else {
        panic!("{result:?}");
    };
    assert_eq!((address, option), (server.addr(), "--port"));
    server.shutdown().await;
}
