// UMT5, arXiv 2304.09151: T5 in which every layer has its own bias of positions.
#include "convert/architecture.h"
#include "convert/architectures/t5_layer.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  T5Keys c(config);
  c.bias_in_every_layer = true;
  t5_model(g, config, c, t5_feed_forward(config, "gated-gelu"));
}

}  // namespace

extern const Architecture umt5 = {
    .family = "umt5",
    .description = "text to text; the encoder alone, also for sentence embedding",
    .model_types = {"umt5"},
    .write = write,
};

}  // namespace linnet::convert::pages
