use tokio::net::TcpListener;
use wire::StreamName;

use super::*;
use crate::media::Muted;
use crate::{MediaOptions, Server, ServerUrl, TestPicture};

/// The options for a server that is not there.
async fn options() -> Options {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = listener.local_addr().unwrap();
    let (url, _) = ServerUrl::parse(&format!("ws://{nowhere}")).unwrap();
    Options::new(Server::WebCallServer(url), StreamName::new("test"))
}

#[tokio::test]
async fn a_mute_wished_of_a_session_that_is_just_over_holds_in_the_next() {
    let source = TestPicture::new("320x180".parse().unwrap(), 30);
    let media = Media::start(source.into(), &MediaOptions::default(), Box::new(drop));
    let (_wisher, wishes) = mpsc::channel(1);
    let (events, _listener) = mpsc::channel(1);
    let options = options().await;
    let mut session = Session::connect(options.session.clone());
    let stream_options = StreamOptions::new(options.name.clone());
    let stream = session.publish_media(fresh_id(), stream_options, media.clone());
    let mut keeper = Keeper::new(options, media.clone(), wishes, events);
    session.ended().await.unwrap_err();

    let (audio, video) = (true, true);
    keeper.grant(Wish::Mute { audio, video }, &session, &stream);
    assert_eq!(media.muted(), Muted { audio, video });
}
