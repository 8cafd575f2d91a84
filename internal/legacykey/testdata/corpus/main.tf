resource "aws_lambda_function" "sync" {
  function_name = "hubspot-sync"
  environment {
    variables = {
      HUBSPOT_API_KEY = var.hubspot_api_key
    }
  }
}
