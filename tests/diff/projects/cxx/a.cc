#include "pre.h"
std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const auto& w : words) all += w + ' ';
  return all;
}
