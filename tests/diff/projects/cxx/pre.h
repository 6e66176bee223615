#pragma once
#include <string>
#include <vector>
std::string joined(const std::vector<std::string>& words);
