//! Mounts the page into `#app`.

use two_way_streaming::pages::two_way::TwoWay;

fn main() {
    two_way_streaming::platform::dom::mount::<TwoWay>("app");
}
