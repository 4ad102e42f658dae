// A program of RocksDB's: writes COUNT keys in a folder in a scattered order, reads them, walks over them, deletes half,
// compacts, and prints a checksum.

#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace {

void require(const rocksdb::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "rocksdb_work: %s\n", status.ToString().c_str());
  std::exit(1);
}

std::string key_of(std::uint64_t number) {
  char key[24];
  std::snprintf(key, sizeof(key), "key%012llu", static_cast<unsigned long long>(number));
  return key;
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "usage: rocksdb_work FOLDER COUNT\n");
    return 2;
  }
  const std::uint64_t keys = std::strtoull(words[2], nullptr, 10);
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = std::size_t{4} << 20;
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* opened = nullptr;
  require(rocksdb::DB::Open(options, words[1], &opened));
  const std::unique_ptr<rocksdb::DB> database(opened);
  for (std::uint64_t i = 0; i < keys; ++i) {
    const std::uint64_t number = i * 7'919 % keys;
    require(database->Put({}, key_of(number), std::string(20 + number % 200, static_cast<char>('a' + number % 26))));
  }
  std::uint64_t checksum = 0;
  std::string value;
  for (std::uint64_t i = 0; i < keys; i += 3) {
    require(database->Get({}, key_of(i), &value));
    checksum = checksum * 31 + value.size();
  }
  for (std::uint64_t i = 0; i < keys; i += 2) require(database->Delete({}, key_of(i)));
  require(database->CompactRange({}, nullptr, nullptr));
  const std::unique_ptr<rocksdb::Iterator> iterator(database->NewIterator({}));
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    checksum = checksum * 31 + iterator->value().size() + static_cast<unsigned char>(iterator->value()[0]);
  }
  require(iterator->status());
  std::printf("%llu\n", static_cast<unsigned long long>(checksum));
}
