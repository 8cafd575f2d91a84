require 'hubspot-ruby'

Hubspot.configure(hapikey: ENV['HUBSPOT_API_KEY'], portal_id: '48000001')

Hubspot.configure do |config|
  config.hapikey = '00000000-fa4e-4000-8000-000000000008'
end
