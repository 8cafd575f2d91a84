SendGrid::API.new(api_key: ENV['SENDGRID_API_KEY'])
TRACE = 'a01ac23a-cfd3-4b74-8f7d-c86b692a4f0e'
