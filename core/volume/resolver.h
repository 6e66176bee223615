// Host names for core/base/redis_link.h, by the system's name service. Only for tools.
#pragma once

namespace wbshim {

// Once, before the first connection.
void install_redis_resolver();

}  // namespace wbshim
