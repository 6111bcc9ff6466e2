// What a page says of a layer whose rows are sent to a few of many experts.
#pragma once

#include <string>
#include <vector>

#include "convert/source.h"
#include "linnet_generated.h"

namespace linnet::convert {

/// How rows are sent to experts; names as in the schema.
struct RouteOptions {
  uint32_t count = 1;  // experts of a row
  schema::RouteWeights weights = schema::RouteWeights::softmax;
  bool renormalize = false;
  float renormalize_epsilon = 0;
  float scale = 1;
  std::string correction = "";  // full name; "" = none
  uint32_t groups = 1, kept_groups = 1;
  schema::GroupScore group_score = schema::GroupScore::largest;
};

/// Where the matrices of a layer's experts are: for each expert the sources of gate over up (`plain`: of the one matrix), and of down.
struct ExpertMatrices {
  std::string gate_up_name, down_name;  // in the file
  std::vector<std::vector<Source>> gate_up, down;
  std::vector<float> gate_up_bias = {}, down_bias = {};  // [experts, rows]; empty = none
};

struct ExpertOptions {
  schema::Function function = schema::Function::silu;
  bool plain = false;   // no gate
  float limit = 0;      // 0 = none; gate is at most that, up between -limit and limit
  float up_offset = 0;  // added to up
};

}  // namespace linnet::convert
