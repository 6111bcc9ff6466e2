// T5, arXiv 1910.10683, its version 1.1 and mT5, arXiv 2010.11934.
#include "convert/architecture.h"
#include "convert/architectures/t5_layer.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  const bool multilingual = config.text("model_type", "") == "mt5";
  T5Keys c(config);
  c.tied = !multilingual;
  t5_model(g, config, c, t5_feed_forward(config, multilingual ? "gated-gelu" : "relu"));
}

}  // namespace

extern const Architecture t5 = {
    .family = "t5",
    .description = "text to text (T5, its version 1.1, mT5); the encoder alone, also for sentence embedding",
    .model_types = {"t5", "mt5"},
    .write = write,
};

}  // namespace linnet::convert::pages
