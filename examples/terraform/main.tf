# Fails a plan while the key that a pipeline depends on is about to expire.
#
# The data source runs the command on the machine that plans. Only the attributes below are stored in the
# state: never let a data source return a key.
terraform {
  required_version = ">= 1.5"
  required_providers {
    external = { source = "hashicorp/external", version = "~> 2.3" }
  }
}

variable "key_id" {
  description = "The id of the key, as the console shows it"
  type        = number
}

variable "days_at_least" {
  description = "The minimum number of days until the key expires"
  type        = number
  default     = 14
}

data "external" "key" {
  program = ["python3", "${path.module}/key_expiry.py"]
  query   = { key_id = tostring(var.key_id) }
}

check "the_key_lives_long_enough" {
  assert {
    condition     = tonumber(data.external.key.result.days_left) >= var.days_at_least
    error_message = "Key ${var.key_id} expires on ${data.external.key.result.expires}: rotate it with `cortexkey keys rotate ${var.key_id}`."
  }
}

output "key_expires" {
  value = data.external.key.result.expires
}
