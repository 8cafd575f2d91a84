variable "datadog_api_key" {}

resource "random_uuid" "run" {
  keepers = { id = "98772790-c172-4f06-88b8-f27000f72d3c" }
}
