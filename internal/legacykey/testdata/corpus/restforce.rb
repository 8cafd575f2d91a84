client = Restforce.new(username: ENV['SF_USERNAME'], password: ENV['SF_PASSWORD'], security_token: ENV['SF_SECURITY_TOKEN'], client_id: ENV['SF_CLIENT_ID'])
