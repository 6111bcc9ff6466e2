// The programs in examples/, run as their first lines say.
#include "tool/tool.h"

using namespace linnet;
using namespace linnet::tests;

#if defined(LINNET_EXAMPLE_CLASSIFY)

TEST_CASE("the classify example prints each label with its probability") {
  Workshop shop;
  const Answer answer = shop.run(LINNET_EXAMPLE_CLASSIFY, "encoder.linnet 'w1 w2' w3");
  REQUIRE_MESSAGE(answer.status == 0, answer.err);
  CHECK(std::count(answer.out.begin(), answer.out.end(), '\n') == 3);
  for (const char* label : {"calm", "gale", "storm"}) CHECK(answer.out.find(label) != std::string::npos);
}

TEST_CASE("the generate example writes on from a prompt") {
  Workshop shop;
  const Answer answer = shop.run(LINNET_EXAMPLE_GENERATE, "decoder.linnet 'w5 w6'");
  CHECK_MESSAGE(answer.status == 0, answer.err);
  CHECK(answer.out.size() > 10);
}

TEST_CASE("examples fail with a sentence, exit status 1 for a bad model and 2 for a bad command line") {
  Workshop shop;
  for (const char* example : {LINNET_EXAMPLE_CLASSIFY, LINNET_EXAMPLE_GENERATE, LINNET_EXAMPLE_EMBED}) {
    CAPTURE(example);
    CHECK(shop.run(example, "").status == 2);
    const Answer answer = shop.run(example, "absent.linnet w1 w2");
    const bool generates = std::string(example) == LINNET_EXAMPLE_GENERATE;
    CHECK(answer.status == (generates ? 2 : 1));  // `generate` takes one text
    if (!generates) CHECK(answer.err.find("absent.linnet") != std::string::npos);
  }
  CHECK(shop.run(LINNET_EXAMPLE_GENERATE, "absent.linnet w1").err.find("absent.linnet") != std::string::npos);
  CHECK(shop.run(LINNET_EXAMPLE_EMBED, "decoder.linnet w1 w2").err.find("text_generation") != std::string::npos);
}

#endif
