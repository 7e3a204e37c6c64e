//! Mounts the page into `#app`.

use two_way_streaming::pages::app::App;

fn main() {
    two_way_streaming::platform::dom::mount::<App>("app");
}
